/*
** scripted: a server for fuzz targets, as Lua functions. It takes turns with its client, in one thread.
*/
#ifndef FUZZ_SCRIPTED_H
#define FUZZ_SCRIPTED_H

#include <lauxlib.h>

/*
** begin(text, where): the answers are the pieces of `text` from that position on, between bytes 0x1e; returns
** the port. serve(): answers what has come. finish(): closes all connections.
*/
extern const luaL_Reg scripted_functions[];

#endif
