/*
** details: the outcome of one call of addCatalog. Each URI has a detail, a table { catalogURI, result,
** errorObject, xhr, offlineReason }, in an array that the promise keeps until it is settled.
**
** While a catalog is being fetched, its detail also has `key` (who asks for what) and, if the server is asked
** to revalidate a known catalog, `entry` and `validators` (lua/datasession/internal/catalog/shared.lua).
** `doubtful`: the server has refused it, or the session. `text`: the body, to be read later. `twin`: the
** place of the same URI, for a repeated one.
*/
#ifndef CATALOG_DETAILS_H
#define CATALOG_DETAILS_H

#include "runtime/error.h"
#include "session/operation.h"

#pragma GCC visibility push(hidden)

/* The slot of the promise that holds the array. */
enum { DETAILS_SLOT = OPERATION_DETAILS };

/* Pushes an array with a detail for each URI of the array at 2. */
void details_push (lua_State *L);

/* Pushes the detail of that number. */
void details_push_one (lua_State *L, const struct operation *op, lua_Integer which);

/* True if that URI repeats an earlier one of the call. */
bool details_is_twin (lua_State *L, const struct operation *op, lua_Integer which);

/* After the session was lost: true if the catalog was loaded before. */
bool details_is_loaded (lua_State *L, const struct operation *op, lua_Integer which);

/* Pushes the error of the first catalog that could not be loaded. */
void details_push_first_error (lua_State *L, const struct operation *op);

/* Removes the outcome, so that the catalog can be loaded again. */
void details_reset (lua_State *L, const struct operation *op, lua_Integer which);

/* Removes a field of the detail at `index`. */
void details_clear (lua_State *L, int index, const char *name);

/* Sets the result of the detail on top. */
void details_set_result (lua_State *L, enum result result);

/*
** Sets the error of the detail below the message on top, popped. `x`: the response, or NULL. The URI is named
** without its query, which may hold a secret.
*/
void details_set_error (lua_State *L, const struct exchange *x);

/* Makes the errors of doubtful catalogs say that the session was lost. */
void details_blame_session (lua_State *L, const struct operation *op);

/* Settles the promise by the details, which the user gets without their internal fields. */
void details_conclude (lua_State *L, struct operation *op);

#pragma GCC visibility pop

#endif
