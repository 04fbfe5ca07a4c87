/*
** version: this line alone says it, by semantic versioning (docs/upgrading.md). tools/release.lua reads it.
*/
#ifndef NET_VERSION_H
#define NET_VERSION_H

#define DATASESSION_VERSION "1.0.0"

#endif
