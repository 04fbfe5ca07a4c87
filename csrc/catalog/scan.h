/*
** catalog_scan: where the resources of a Data Service Catalog stand in its text, without decoding it.
** One-sided: what is accepted here is JSON, and every check of lua/datasession/catalog/ passes on it but that
** services have names of their own; what is not accepted here may be a good catalog nevertheless, in a form
** that is not usual. The checks of the Lua layer are the ones that say what is wrong.
*/
#ifndef CATALOG_SCAN_H
#define CATALOG_SCAN_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** scan(text): nil when in doubt; else { from, to, services, names, starts, ends, places }: the text from
** `from` to `to` is the array of services; services is an array of { from, to, first, last, start, stop }
** where the service's text goes from `from` to `to`, its array of resources from `start` to `stop`, and its
** resources are those numbered from `first` to `last`; names, starts and ends are arrays by a resource's
** number; places has numbers by name. Positions count from 1, both ends included.
*/
int catalog_scan (lua_State *L);

/*
** scanner(text): the same in slices: a function(bytes), each call of which reads so many bytes and what it
** has begun. It returns true while there is more, then what scan(text) does.
*/
int catalog_scanner (lua_State *L);

#pragma GCC visibility pop

#endif
