/*
** scan: finds the resources of a Data Service Catalog in its text, without decoding it. An accepted text is
** valid JSON and passes every check of lua/datasession/internal/catalog/, except that the names of services
** may repeat. A rejected text may still be a valid catalog of an unusual form. Only the checks of the Lua
** layer report what is wrong.
*/
#ifndef CATALOG_SCAN_H
#define CATALOG_SCAN_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** scan(text): nil when in doubt; else { from, to, services, names, starts, ends, places }. The text from
** `from` to `to` is the array of services. `services` is an array of { from, to, first, last, start, stop }:
** the service's text goes from `from` to `to`, its array of resources from `start` to `stop`, and it has the
** resources numbered from `first` to `last`. `names`, `starts` and `ends` are arrays by a resource's number;
** `places` has numbers by name. Positions count from 1, both ends included.
*/
int catalog_scan (lua_State *L);

/*
** scanner(text): the same in slices. Returns a function(bytes), each call of which reads so many bytes and
** finishes the step it is in. It returns true while there is more, then the results of scan(text).
*/
int catalog_scanner (lua_State *L);

#pragma GCC visibility pop

#endif
