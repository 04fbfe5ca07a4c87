---@meta datasession

-- Made from docs/ by tools/types.lua. Definitions for editors: this file is never run.

---@alias datasession.ErrorKind "timeout"|"stall"|"dns"|"connect"|"tls"|"proxy"|"auth"|"expired"|"offline"|"refused"|"http"|"server"|"protocol"|"catalog"|"cancelled"|"closed"|"file"|"memory"|"error"
---@alias datasession.SessionEvent "started"|"stopped"|"disconnected"|"interrupted"|"callbackAdded"|"callbackRemoved"|"online"|"offline"|"reconnecting"|"reconnected"|"reconnectFailed"|"retry"|"expired"|"renewed"|"lost"|"statusChanged"

---@class datasession.options.btt
---@field establishPath? string path below `serviceURI`; the name is documented, some sites change it (observed); more text may follow it
---@field requestPath? string path of operations; the same holds
---@field format? string|table `"form"`, `"json"` or `"xml"`, or functions of your own
---@field xmlDeclaration? boolean true, with `format = "xml"`: messages begin with an XML declaration, as the manual's samples (documented)
---@field xmlDoctype? boolean|string true, with `format = "xml"`: messages name their DTD, as in the samples: `/dse/sessionRequest.dtd` or `/dse/request.dtd` (documented); a string: the folder of the DTDs
---@field xmlQuotes? boolean true, with `format = "xml"`: the message's own values stand in double quotes, as in the samples (documented); the elements in `dse_formattedData` do not (ours)
---@field sessionCarrier? string how requests carry the session id: `"cookie"`, `"parameter"` or `"both"`
---@field sessionParameter? string the parameter's name (documented)
---@field sessionCookie? string the cookie that shows a session when a reply has neither status nor id
---@field tid? string the terminal (TID) that identifies the session
---@field sessionId? string predefined id: sent to join a session, never to create one
---@field serverId? string sent with the id; a reply may replace it
---@field runInSession? boolean false: operations may run without a session, as the server's option of that name allows
---@field replay? boolean the default of the calls' option `idempotent`: see Loss
---@field closeOperation? string the operation that ends the session on the server
---@field closePath? string or the address to GET instead
---@field maxCloseAttempts? integer number of attempts to close
---@field cookiePolicy? string or `"standard"`: Cookies
---@field onLateReply? function called with replies that come after their call has timed out: see Late replies
---@field lateReplies? number how long to wait for them

---@class datasession.options.catalog_parse
---@field uri? string the URI of the text
---@field serviceURI? string base of addresses that are not absolute

---@class datasession.options.channel_broadcast
---@field timeout? number 0: the session's

---@class datasession.options.channel_notify
---@field timeout? number 0: the session's; for a callback of its own, `answerTimeout`

---@class datasession.options.connectionData
---@field service? any name of a Client Service, whose details stay on the server; `"Default"` if the table is empty [documented]
---@field sessionType? any `"TELNET_SESSION"` or `"TELNET_LOGIN_SESSION"` [documented]
---@field hostname? any of the VM [documented]
---@field port? any of the VM, a text or an integer [documented]
---@field username? any of the VM's login [documented]
---@field password? any of the same [documented]
---@field command? any run on the host [documented]
---@field resourceURL? any where images are [documented]

---@class datasession.options.datasession_AuthenticationProvider
---@field uri string root of the web application that checks the credentials
---@field authenticationModel string `"anonymous"`, `"basic"`, `"form"`, `"form_sso"`, `"bearer"`
---@field automaticTokenRefresh? boolean refresh access tokens automatically
---@field connectTimeout? any as for `datasession.new`
---@field timeout? any as for `datasession.new`
---@field stallTimeout? any as for `datasession.new`
---@field maxResponseSize? any as for `datasession.new`
---@field maxRedirects? any as for `datasession.new`
---@field retry? any as for `datasession.new`, for its logins: see Trying again
---@field insecure? any as for `datasession.new`
---@field http2? any as for `datasession.new`
---@field proxy? any as for `datasession.new`
---@field userAgent? any as for `datasession.new`
---@field caFile? any as for `datasession.new`
---@field caPath? any as for `datasession.new`
---@field crlFile? any as for `datasession.new`
---@field pinnedPublicKey? any as for `datasession.new`
---@field clientCertificate? any as for `datasession.new`
---@field clientKey? any as for `datasession.new`
---@field clientKeyPassword? any as for `datasession.new`

---@class datasession.options.datasession_JSDO
---@field name string the resource
---@field session? datasession.Session the session to use
---@field catalog? string|datasession.Catalog the catalog to look in: the URI that `addCatalog` got, or an entry of `session.catalogs`
---@field autoFill? boolean true: calls `fill()`
---@field autoApplyChanges? boolean see after a save
---@field autoSort? boolean keeps tables sorted
---@field caseSensitive? boolean sorting and keys tell `a` from `A`
---@field useRelationships? boolean see relations
---@field store? table for local storage
---@field viewTables? any passed along in the filter of each fill
---@field events? table `{ afterFill = { { fn = handler, scope = object, operation = "Ship" } } }`

---@class datasession.options.datasession_getSession: datasession.options.datasession_new
---@field catalogURI string|string[] as for `session:addCatalog`; for jsdo alone, since other protocols have no catalogs
---@field username? string for basic, form and sso; for bearer the token, unless there is a `tokenProvider`
---@field password? string for basic, form and sso
---@field loginCallback? function called without arguments when the options have no `username` and `password`; returns a table `{ username, password }`, or a promise of one. Its error is in `err.info.reason`
---@field authenticationURI? string the server that checks the credentials; for sso the token server. If it is not `serviceURI`, a provider logs in there, and the session then requests its own login target
---@field authProviderAuthenticationModel? string the authentication model at `authenticationURI`

---@class datasession.options.datasession_har
---@field bodies? integer how many bytes of each body to record; 0: none

---@class datasession.options.datasession_invalidateAllSessions
---@field all? boolean invalidate every live session of this Lua state, those of `datasession.new` too

---@class datasession.options.datasession_map
---@field limit? integer calls at a time

---@class datasession.options.datasession_new
---@field serviceURI string root of the web application, `http:` or `https:`, without query or fragment; the session drops trailing slashes. It may be relative to `baseURI`
---@field baseURI? string the URI that a relative `serviceURI` follows, such as `/Sports`, as the page's address does in a browser; for `getSession` a relative `authenticationURI`, too
---@field authenticationModel? string `"anonymous"`, `"basic"`, `"form"`, `"sso"`, `"bearer"`: see Authentication
---@field authProvider? datasession.Provider an AuthenticationProvider that is logged in and has the session's model (`"form_sso"` for `"sso"`, which needs a provider). The session counts as logged in at once; `connected` becomes true with the first good response
---@field protocol? string the protocol of the service: `"jsdo"`, `"datasnap"`, `"btt"`, `"proiv"`, or one of your own. Each protocol has options of its own; those of jsdo are `authenticationModel`, `authProvider`, `context`, `keepTokens`, `timeStamp`, `tokenProvider` and `tokenTimeout`
---@field pingInterval? number time between automatic pings while the session is logged in; 0: no pings. See Events and states
---@field connectTimeout? number time limit for connecting
---@field timeout? number time limit of each HTTP exchange, redirects included; 0: no limit
---@field stallTimeout? number an exchange fails when no byte has moved for this time since the request was sent; 0: no such limit
---@field maxResponseSize? number size limit of a response's body, after decompression; it holds too for a catalog that the server reports as unchanged
---@field maxRedirects? number number of redirects to follow within the origin; a redirect to another origin is never followed
---@field insecure? boolean accept any certificate; `datasession.new` warns
---@field http2? boolean false: https requests use HTTP/1.1. true: all requests use HTTP/2 where the server offers it. Not given: some requests with a body use HTTP/1.1, see Performance
---@field proxy? string|false the proxy's URI, used for every host; it may hold a user and a password (`http://user:password@host:port`). `false`: no proxy. Not given: `http_proxy`, `https_proxy` or `all_proxy` of the environment, except for the hosts in `no_proxy`
---@field caFile? string file of certificates to trust in place of the system's, PEM. libcurl reads a file of more than 32 KB again after a minute, a smaller one for each connection
---@field caPath? string directory of certificates to trust in place of the system's; with `caFile`, both are trusted
---@field crlFile? string file of lists of revoked certificates, PEM, with one list for each CA in the server's chain. A certificate is refused if it is revoked, or if its CA's list is missing or outdated. The option has no effect where libcurl was built with Schannel or Secure Transport
---@field pinnedPublicKey? string the public key that the server's certificate must hold, in addition to all other checks: `"sha256//"` and the base64 of its SHA-256 digest, several separated by `;`, or a file that holds the key (PEM or DER). With `insecure` it is the only check
---@field clientCertificate? string file of the client's own certificate, PEM
---@field clientKey? string file of its key, PEM
---@field clientKeyPassword? string the key's password; libcurl never asks for it at a terminal
---@field userAgent? string the header User-Agent
---@field headers? any header lines of each `session:request` to the session's own origin. A header of that name in the request wins
---@field query? table parameters of each of these requests. A parameter of that name in the request or its URI wins
---@field timeStamp? boolean append a unique `_ts` parameter to the URIs of login, `isAuthorized`, `ping` and `request`, for caches that ignore no-cache headers
---@field context? table initial context properties, as for `session:setContext`
---@field onOpenRequest? function called before every request: see below
---@field onRequest? function called for every request and its response, whose header lines they may change: see Hooks
---@field onResponse? function called for every request and its response, whose header lines they may change: see Hooks
---@field name? string the session is stored under this name: see Storage; `""`: not stored
---@field store? table where the session is stored
---@field storage? any the deprecated name of `store`
---@field keepTokens? boolean store the session's tokens too
---@field tokenProvider? function gives a bearer session its tokens: see Tokens
---@field tokenTimeout? number time limit of a call of `tokenProvider`; 0: no limit
---@field reconnect? table|boolean the session reconnects by itself: see Reconnecting
---@field retry? table calls that fail for a passing reason are sent again: see Trying again
---@field keepCredentials? boolean keep name and password in memory, so that the session can log in again by itself

---@class datasession.options.datasession_setLimits
---@field hostConnections? integer connections to one host at a time, and pending requests there; 0: no limit
---@field totalConnections? integer connections at a time in total; 0: no limit
---@field idleHandles? integer idle libcurl handles that are kept, of 10 to 20 KB each, 16 KB more from libcurl 8.7 on; 0: each request creates a handle
---@field http2? boolean false: new https requests use HTTP/1.1, except those of sessions with an option `http2` of their own

---@class datasession.options.datasession_trace
---@field bodies? integer how many bytes of each body to show; 0: none

---@class datasession.options.datasnap
---@field dscontext? string the first part of the path; `""`: none. Slashes around it are ignored [S]
---@field restcontext? string the second part, for methods; `""`: none [S]
---@field cachecontext? string the second part, for the cache; `""` is the default [S]
---@field sessionCookiePrefix? string the session is stored under this prefix and `dssessionid`; `""` is a prefix too [D]

---@class datasession.options.format
---@field base? string the format of everything that the table leaves out; default `"form"`
---@field encode? function `encode(message)` returns the body, a string, and its Content-Type. `message.kind` is `"establish"`, with `createSession`, `TID`, `sessionId`, `serverId` as they apply; or `"request"`, with `operation`, `data`, `fields`
---@field decode? function `decode(body, response)` returns the reply: a table with `status`, `sessionId`, `serverTID`, `serverId`, `timeout` (milliseconds), `result`; or nil: the body is not a reply
---@field classify? function `classify(reply, response)` classifies a response: `"ok"`, `"inactivity"` (the session is lost), `"connection"`, `"error"`; nil: the library decides

---@class datasession.options.jsdo_fill
---@field filter? any `ablFilter`, else `sqlQuery`
---@field sort? string `orderBy`
---@field top? number
---@field skip? number
---@field id? any
---@field tableRef any none
---@field mergeMode? any none

---@class datasession.options.jsdo_getData
---@field sort? any[] fields as for `setSortFields`
---@field top? integer number of rows at most
---@field skip? integer number of rows to leave out first

---@class datasession.options.jsdo_saveChanges
---@field submit? boolean true: one request for all
---@field stopOnError? boolean true: a refused change ends a save record by record
---@field onProgress? function called with (done, total) after each record

---@class datasession.options.oauth2_clientCredentials
---@field tokenURI string the token endpoint
---@field clientId string
---@field clientSecret string
---@field scope? string
---@field parameters? table further fields of each form, as `audience`
---@field connection? table options of `datasession.new` for the connection to the authorization server, as `caFile`

---@class datasession.options.oauth2_deviceFlow
---@field deviceURI string the device authorization endpoint
---@field onCode function called with a table of `userCode`, `verificationURI`, `verificationURIComplete` (may be nil) and `expiresIn`, which the user must be shown

---@class datasession.options.oauth2_refreshToken
---@field refreshToken string
---@field onRefreshToken? function called with each new refresh token, for the program to keep it in a safe place

---@class datasession.options.proiv
---@field sessionNodeID? string a name for the program's own use
---@field URI? string the connection servlet, on serviceURI's server: relative to the server with a slash in front, else relative to serviceURI
---@field connectionData? table what to connect to
---@field explicitByGet? boolean true: connect by GET also with explicit details; **the password is then in the URL**, and in all logs of URLs
---@field pollInterval? number time before the first poll after a stop; it grows to 1 s
---@field endTimeout? number time limit of the request that ends the session
---@field transport? table Transport

---@class datasession.options.reconnect
---@field maxAttempts? any the number of attempts before the session gives up; 0: no attempt
---@field delay? number time before the second attempt; the first is made at once
---@field backoff? number factor from one wait to the next
---@field maxDelay? number longest wait
---@field jitter? number each wait varies at random by this fraction, so that many sessions do not reconnect at once

---@class datasession.options.retry
---@field maxAttempts? any how often the call is sent at most
---@field delay? number time before the second attempt
---@field backoff? number factor from one wait to the next
---@field maxDelay? number longest wait. A `Retry-After` beyond it ends the call
---@field jitter? number each wait varies at random by this fraction, so that many sessions do not come back at once
---@field statuses? integer[] the HTTP statuses from 400 to 599 after which the call is sent again; 401 is refused
---@field kinds? string[] the same for failures without such a status, by `err.kind`: `"timeout"`, `"stall"`, `"dns"`, `"connect"`, `"tls"`, `"proxy"`, `"offline"`, `"http"`, `"server"`, `"protocol"`, `"memory"`, `"error"`
---@field totalTimeout? number time limit for all attempts and the waits between them; true: the call's `timeout` is that limit
---@field budget? boolean false: the budget does not count

---@class datasession.options.sandbox_start
---@field port? integer the port; 0: any free port
---@field address? string numeric address
---@field users? table passwords by user name, for basic, form, form_sso (and with its tokens sso), old, datasnap and proiv; anonymous, bearer and btt know no users
---@field idleTimeout? number after this time an unused server session ends
---@field ping? string `"new"`, `"classic"` or `"none"`: see `server:setPing`
---@field customers? integer number of customers at the start
---@field orders? integer number of orders at the start
---@field items? integer number of items at the start
---@field catalogResources? integer resources in the catalog
---@field tokenLifetime? integer lifetime of an access token
---@field tokenSecret? string servers with the same secret accept each other's access tokens
---@field bearerTokens? string[] tokens that bearer accepts
---@field datasnapAuthentication? boolean true: datasnap needs a user and a password to create a session
---@field bodyLimit? integer how much of a request's body is kept; a longer body is dropped: routes get its size, the applications respond with 413
---@field catalogs? table catalogs of your own by name, each JSON text or a table; every application with a catalog serves them at `/static/<name>.json`, also in place of the sandbox's own. Serve the data with routes
---@field har? string a HAR file to replay
---@field harRepeats? boolean true: the last recording of a request answers for good
---@field tls? boolean|table https. true: with a certificate that a new authority signs at the start, for localhost, its addresses and `address`; it is valid for a year. `{ names = { ... } }`: the same for these host names and addresses instead. `{ certificate = file, key = file }`: one of your own, PEM

---@class datasession.options.server_fault
---@field kind string `"slow"`, `"reset"`, `"close"`, `"truncate"`, `"malformed"`, `"html"`, `"loginPage"`, `"status"`, `"redirect"`, `"empty"`, `"raw"`
---@field method? string method of the requests that fail
---@field path? string matches the decoded path
---@field model? string
---@field count? integer number of requests; 0: until cleared
---@field delay? number time to wait first; slow needs it
---@field after? integer for truncate: length of the body that is sent
---@field status? integer for status (required) and redirect
---@field body? string for status; for raw (required): the bytes in place of an HTTP response, not over https
---@field contentType? string for status
---@field headers? table header lines by name, added to the response's or replacing them
---@field location? string for redirect (required)

---@class datasession.options.server_refuseRows
---@field table? string `"ttCustomer"`, `"ttItem"`, `"ttOrder"` or `"ttOrderLine"`
---@field operation? string `"create"`, `"update"` or `"delete"`
---@field where? string a where-expression of ABL about the row that was sent
---@field count? integer number of rows; 0: until cleared
---@field message? string the error's text
---@field number? integer the error's number
---@field returnValue? string value of RETURN ERROR, without before-image
---@field how? string marks of a row that is refused with before-image: `"error"` (prods:hasErrors, and the text in prods:errors), `"rejected"` (prods:rejected) or `"both"`. Without before-image the status is 500

---@class datasession.options.server_setBtt
---@field refuseEstablish? integer number of establish requests to refuse from now on, with CSS07
---@field lossAs? string response to a request without a live session
---@field location? string target of that redirect
---@field timeout? integer after this time an unused session ends (`idleTimeout` does not apply); replies have the same value; 0: never
---@field answer? string response to forms: `"json"`, or `"html"`: pages with hidden inputs
---@field carrier? string what identifies a session: `"cookie"` (JSESSIONID), `"parameter"` (`sessionId` or `dse_sessionId`, in the body or the query), or `"both"`
---@field pageId? string `"optional"` or `"required"`: whether forms need `dse_pageId`
---@field runInSession? boolean true: operations need a session
---@field serverId? string a client that joins with another server's id is refused
---@field wrapper? string|false the key that encloses JSON replies
---@field cookies? string[] further values of Set-Cookie, for every response, redirects and failures too
---@field reply? table members that replace or extend the reply of an established session; false removes one

---@class datasession.options.server_setData
---@field nested? boolean true: reads of orders have the lines inside their orders
---@field wrapped? boolean true: answers to reads are inside `{"response": ...}`
---@field locking? boolean a change is refused when the row in prods:before is not what is stored
---@field answers? string answer to changes: `"rows"`, `"none"` (status 204), or `"bare"` (without before-image: the first row alone)
---@field unnamed? string answer to reads of ItemUnnamed: `"list"`, `"data"` (`{"data": list}`) or `"record"` (the first row alone)

---@class datasession.options.server_setDataSnap
---@field timeout? integer after this time an unused session ends; `dssessionexpires` has the same value; 0: never
---@field perRequest? boolean true: a session ends with its request, its id is sent as empty, and existing sessions are closed
---@field pragma? boolean true: responses have the header Pragma
---@field generation? string `"older"`: the servers from XE2 to Berlin. `"newer"`: those of RAD Studio 11, which add an HTML page to each answer that has no body, send a stream as a list of bytes unless the filter `json=false` is there, and answer batches with 501
---@field slim? boolean true: the newer servers' component without callback channels, which answers the cache with 501
---@field channelResponseTimeout? integer a client that was handed a message of its callback channel answers within this time, or the channel is closed
---@field channelQueueSize? integer the messages that wait for the client of a callback channel; more are refused

---@class datasession.options.server_setOAuth
---@field lifetime? number lifetime of new access tokens
---@field refreshTokens? boolean give refresh tokens too
---@field interval? number the least time between two requests of a waiting device
---@field deviceLifetime? number the time that a user has to approve a device
---@field clients? table secrets by client id; `""`: a client without one

---@class datasession.options.server_setProiv
---@field stop? string response to a STOP: `"end"`, `"refuse"` (409 at once), `"refuseLater"` (at a POLL), or `"hang"` (stopping, as long as this is set)
---@field polls? integer the number of the POLL after the STOP with that response; 0: the response to STOP itself
---@field sessionKey? boolean true: the server gives sessions a `sessionKey`, which requests must send as `SESSION_KEY`
---@field finished? boolean true: the programs have ended; the next POLL of a session gets `ended`
---@field lossAs? any response to a lost session: a status, or 200 and that state

---@class datasession.options.session_addCatalog
---@field authProvider? datasession.Provider a logged-in provider whose cookies, credentials or tokens are sent instead of the session's. The call rejects if it is not logged in. Not together with `username`
---@field iOSBasicAuthTimeout? number time limit of each request; 0: the session's `timeout`

---@class datasession.options.session_batch
---@field timeout? number 0: the session's
---@field idempotent? boolean as for `invoke`

---@class datasession.options.session_cache
---@field verb? string or `"DELETE"`
---@field accept? string another one gives a stream's bytes, from older servers
---@field bytes? boolean as for `invoke`
---@field timeout? number 0: the session's
---@field idempotent? boolean as for `invoke`

---@class datasession.options.session_channel
---@field serverChannel string the channel gets what is broadcast to this name [D]
---@field id? string the channel's own id. A program that knows it can take its messages, so it should be hard to guess. The server ignores its case [S]
---@field token? string proves to the server who opened the channel; it is a secret [S]
---@field answerTimeout? number a callback that has not answered by then is answered for by `false`, and reported to `onError`, since the server closes a channel that does not answer within 30 s [S, O]

---@class datasession.options.session_establishSession
---@field newSession? boolean
---@field tid? string stays the session's from now on
---@field sessionId? string the same
---@field serverId? string the same
---@field timeout? number 0: the session's

---@class datasession.options.session_getMethodURL
---@field verb? string as for `invoke`
---@field filters? table as for `invoke`

---@class datasession.options.session_invoke
---@field timeout? number 0: the session's
---@field idempotent? boolean it may reach the server twice, so it is sent again after a loss
---@field replay? boolean another name of `idempotent`
---@field headers? table further header lines
---@field fields? table further fields of the request: `{ dse_operationId = "17" }`
---@field verb? string `"GET"`, `"PUT"`, `"POST"` or `"DELETE"`; another verb raises (the vendor's client uses GET) [S, O]
---@field filters? table request filters: strings, numbers and booleans by name; `""` and `datasession.null` send the name alone. A server responds with 409 to an unknown filter [S]
---@field accept? string the header Accept; `"application/rest"` leaves complex results in the cache [S]
---@field hasResult? boolean false: the value is true and the body is ignored; the header still counts (O) [S]
---@field bytes? boolean true: the value is a string, the bytes of a stream. Older servers send bytes, newer ones (RAD Studio 11) a list of numbers; any other response rejects with `"protocol"` [O]
---@field onProgress? function called as that of `session:request`: with the bytes of the bodies [O]

---@class datasession.options.session_login
---@field iOSBasicAuthTimeout? number limit for each request of the login; 0: the session's `timeout`

---@class datasession.options.session_request
---@field path? string below `serviceURI`, with or without a first slash; either this or `uri`
---@field uri? string absolute, or relative to `serviceURI`
---@field query? table parameters that are added to the URI, percent-encoded. By name, as in `{ top = 10, state = { "MA", "NH" } }`, they are written in alphabetical order; pairs, as in `{ { "state", "MA" }, { "top", 10 } }`, keep their order. A value is a string, a number, a boolean, `datasession.null` for an empty ...
---@field method? string GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS
---@field headers? any header lines that are added to the session's or replace them. Content-Length, Transfer-Encoding, line breaks and NUL raise
---@field body? string|function sent as it is; its Content-Type is that of `headers`, or none. A function gives the body piece by piece: see Bodies that are sent piece by piece
---@field bodyFile? string the path of a file, which is the body
---@field bodyLength? number for a function in `body`: the size of the body
---@field rewind? function for a function in `body`: begins the body again
---@field json? any encoded as the body, with Content-Type `application/json; charset=utf-8`. NaN, infinity and strings that are not UTF-8 raise; the message names their key
---@field form? table encoded as the body, with Content-Type `application/x-www-form-urlencoded`
---@field multipart? table the parts of a form that holds files, as `multipart/form-data`: see Forms with files
---@field timeout? number 0: the session's
---@field stallTimeout? number 0: the session's
---@field saveTo? string|function takes the body as it comes: see Large bodies
---@field resume? boolean with a path in `saveTo`: go on with an interrupted download
---@field onProgress? function called with (sent, total, received, total), the bytes of the two bodies, at most once a step, and at the end. A total is nil while it is not known; the server does not say its own when it compresses the body, and the header `Accept-Encoding: identity` asks for no compression. After a redirect ...
---@field stream? boolean resolve when the body begins: see Large bodies
---@field maxResponseSize? number size limit of the body
---@field idempotent? boolean true if the request may reach the server twice: see Reconnecting
---@field retry? table send the request again if it fails for a passing reason: see Trying again

---@class datasession.options.transport
---@field connect? any `connect(session, seconds)` connects the session. Returns true, and optionally a string for `SESSION_KEY`; or nil and an error
---@field requestStop? any `requestStop(session, seconds)` asks for the end of the session. Returns true when the request was delivered, or a state; or nil and an error
---@field poll? any `poll(session, seconds)` requests the state. Returns a state, `true` for running; or nil and an error
---@field endNow? any `endNow(session, seconds)` ends the session on the server at once. Its result is ignored
---@field classify? any `classify(status, headers, body)` classifies a response to one of the built-in messages; `headers` by lower-case name. Returns a state; nil: as above

---@class datasession.Catalog
---@field uri string as passed to `addCatalog`
---@field version string|nil as in the document
---@field lastModified string|nil as in the document
---@field services any[]
---@field leftOut any[]|nil messages about the members that were left out, at most ten and a count of the rest; nil: none
---@field parse any meaning
local Catalog = {}

---Returns the service of that name. Raises when there is none; the message suggests the nearest name.
---@param name any
---@return any ...
function Catalog:service(name) end

---Returns the resource of that name of any service. Raises when there is none; the message suggests the nearest name. `catalog:eachResource()` iterates over all resources.
---@param name any
---@return any ...
function Catalog:resource(name) end

---Iterates: `for resource, service in catalog:eachResource() do`.
---@return any ...
function Catalog:eachResource() end

---This function of the same module returns the text of a file, named by a path or a `file:` URI; or nil and a message.
---@param path any
---@return any ...
function Catalog.read(path) end

---@class datasession.Channel
---@field session any the session
---@field serverChannel any those of the options, or a random id
---@field id any those of the options, or a random id
---@field state string `"closed"`, `"opening"`, `"open"` or `"closing"`
local Channel = {}

---Defines a callback, and returns the channel and the id. The id is a string; nil: a random one. `names`, a string or an array of strings, are further server channels whose broadcasts it gets. Sends nothing: `register` does. `f(value, message)` is called for each message in a coroutine, in which ...
---@param id any
---@param f any
---@param names? any
---@return datasession.Promise
function Channel:callback(id, f, names) end

---Registers one callback with the server, by default all that were defined; the first one opens the channel. The promise resolves with the channel. It rejects with the kind `"refused"` if the id of the channel or of the callback is taken, and with `"http"` if the server has no channels: the slim ...
---@param id? any
---@return datasession.Promise
function Channel:register(id) end

---Takes a callback out of the channel. The last one closes the channel (S). The promise resolves with the channel.
---@param id any
---@return datasession.Promise
function Channel:unregister(id) end

---Sends a value to each channel that listens to a server channel, by default the channel's own. The channel need not be open. The promise resolves with true, and rejects with the kind `"refused"` if no channel is open or the queue of one is full (S).
---@param value any
---@param serverChannel? any
---@param options? datasession.options.channel_broadcast
---@return datasession.Promise
function Channel:broadcast(value, serverChannel, options) end

---The same for an object in the vendor's marshalled form.
---@param value any
---@param serverChannel? any
---@param options? any
---@return any ...
function Channel:broadcastObject(value, serverChannel, options) end

---Sends a value to one callback of one channel, and resolves with its answer, which may be false. Rejects with the kind `"refused"` if no channel has that callback or its queue is full. The server waits for the answer without a limit, so the request's own `timeout` counts (S). A callback of this ...
---@param channelId any
---@param callbackId any
---@param value any
---@param options? datasession.options.channel_notify
---@return datasession.Promise
function Channel:notify(channelId, callbackId, value, options) end

---The same for an object in the vendor's marshalled form.
---@param channelId any
---@param callbackId any
---@param value any
---@param options? any
---@return any ...
function Channel:notifyObject(channelId, callbackId, value, options) end

---Closes the channel. It is closed here whatever the server answers; the promise resolves with the channel, or rejects if the server was not reached. `register` opens it again.
---@return datasession.Promise
function Channel:close() end

---Closes the session, and with it the channel: the promise of `session:closeSession()`.
---@return datasession.Promise
function Channel:closeSession() end

---Subscribes to an event of the channel, by the rules of sessions. The handler's first argument is the channel. Events, each with its further arguments:
---@param event any
---@param handler any
---@param scope? any
---@return any ...
function Channel:subscribe(event, handler, scope) end

---Ends that subscription.
---@param event any
---@param handler any
---@param scope? any
---@return any ...
function Channel:unsubscribe(event, handler, scope) end

---Ends all subscriptions to an event, by default to all events.
---@param event? any
---@return any ...
function Channel:unsubscribeAll(event) end

---@class datasession.datasession
---@field data any raises, and nothing is added
---@field engine any An object with the methods that cqueues and LuaSocket expect. Programs use the functions of `datasession` itself; the methods of the same names are aliases. With cqueues: With `socket.select`: With libuv, GLib or a loop of your own, watch the descriptor for reading, level-triggered. Without a ...
---@field LOGIN_AUTHENTICATION_REQUIRED any `isAuthorized` was called before a login
---@field SUCCESS any the call succeeded
---@field LOGIN_SUCCESS any the call succeeded
---@field AUTHENTICATION_FAILURE any the server refused the credentials or the session
---@field LOGIN_AUTHENTICATION_FAILURE any the server refused the credentials or the session
---@field GENERAL_FAILURE any every other failure
---@field LOGIN_GENERAL_FAILURE any every other failure
---@field CATALOG_ALREADY_LOADED any the session has this catalog already; counts as success
---@field ASYNC_PENDING any never used; it exists because the JavaScript class has it
---@field EXPIRED_TOKEN any the access token has expired and could not be refreshed
---@field constants table the constants of this page and of the others by name; a program may use `datasession.constants.SUCCESS` as well as `datasession.SUCCESS`
---@field DEVICE_OFFLINE any the system or `datasession.setDeviceOnline(false)` reports that this machine has no network
---@field SERVER_OFFLINE any name look-up, connection or TLS failed, or no response came in time
---@field WEB_APPLICATION_OFFLINE any a login, check or ping got 404 or 410, or a ping got 502, 503, 504, a page, broken JSON or no HTTP. After any other status, or a redirect that is not followed, the ping rejects and `connected` stays as it is
---@field APPSERVER_OFFLINE any a ping got 500, or PingStatus false
---@field SESSION_EXPIRED any a logged-in session got 401 or a login page, a ping of the login target got 403, the server refused the token, the AuthenticationProvider was logged out, or the deadline of the session passed
---@field SERVICE_OFFLINE any never used; it exists because the JavaScript class has it
---@field date any The module that converts dates. It is loaded when it is first used; below, `date` stands for it. A date table has the integers `year`, `month`, `day`, with a time also `hour`, `min`, `sec`, `msec`, with a zone also `offset`: the minutes that its clocks are ahead of UTC, 60 in Oslo in winter, ...
---@field null any JSON's null. It is not `nil`: a field with the value null exists. Compare with `==`.
---@field emptyArray any Encodes as `[]`; an empty table encodes as `{}`. Read-only.
---@field _VERSION any The library's name and version, a string: what the number promises, deprecated names.
---@field AUTH_TYPE_ANON string `"anonymous"`
---@field AUTH_TYPE_BASIC string `"basic"`
---@field AUTH_TYPE_FORM string `"form"`
---@field AUTH_TYPE_SSO string `"sso"`
---@field AUTH_TYPE_FORM_SSO string `"form_sso"`
---@field AUTH_TYPE_BEARER string `"bearer"`
---@field core any `require "datasession"`, not its parts
---@field har any look at the disk: the file has the entries before
---@field trace any look at the disk: the file has the lines before
---@field invalidateAllSessions any meaning
---@field store any The module that has two stores. It is loaded when it is first used. The module `datasession.storage` is its old name, and `storage` the old name of the option; both are deprecated.
---@field promise any `datasession.newPromise`
---@field protocol any `datasession.defineProtocol`
---@field storage any module `datasession.store`
local datasession = {}

---Creates a provider; sends nothing. Raises for mistakes in the options. Options of `datasession.AuthenticationProvider`, each with its type and default: The last four lines concern the provider's own requests; Sessions has their types and defaults. The promises below resolve with the provider, a ...
---@param options datasession.options.datasession_AuthenticationProvider
---@return datasession.Promise
function datasession.AuthenticationProvider(options) end

---Returns a data object for the resource of that name. It needs a loaded catalog and no login; it sends nothing unless `autoFill` is true. The session is the active one if its catalog has the resource, else the only one that has it. Raises for a resource that no session has, with the nearest name; ...
---@param name any
---@return datasession.Promise
function datasession.JSDO(name) end

---Sets the function that waits in coroutines which `datasession.spawn` did not start: `f(promise, seconds)` gets a pending promise and the time limit of `await`, or nil. It suspends the coroutine and returns when the promise has settled or the time has passed; `f` may yield. If the promise is ...
---@param f any
---@return datasession.Promise
function datasession.setAwait(f) end

---Sets the given limits and returns all limits in force, as a table. It may be called at any time, also before the first session. Pending requests go on; queued requests begin when the new limits allow. Raises for mistakes in the options. Options of `datasession.setLimits`, each with its type and ...
---@param limits? any
---@return any ...
function datasession.setLimits(limits) end

---Tells the library, by a boolean, whether this machine has a network. With false, every connected session fires `offline` with `DEVICE_OFFLINE`, and automatic pings pause; requests are still sent. With true, each session that is logged in and whose application is available fires `online`. New ...
---@param online any
---@return any ...
function datasession.setDeviceOnline(online) end

---Marks `t` (a table without a metatable; default: a new one) as an array, so that it encodes as `[]` when it is empty. Returns it. Raises for any other value.
---@param t? any
---@return any ...
function datasession.array(t) end

---Returns the versions in use, a new table of `datasession`, `lua`, `curl` and `tls` (strings), `http2` (boolean), `poller` (`"epoll"`, `"kqueue"`, or `"curl_multi_poll"` where there is no descriptor to poll), and `json`: a table that describes the codec (`name`, `version`, `exactIntegers`, ...
---@return any ...
function datasession.version() end

---Creates a promise of the program's own and calls `f(resolve, reject)` at once. `resolve(value, result, info)` resolves it, or lets it follow `value` if that is a promise; `reject(err)` rejects it. The first call counts; each returns true if it was the first. An error in `f` rejects the promise. ...
---@param f any
---@return datasession.Promise
function datasession.newPromise(f) end

---Runs `f(...)` in a coroutine, at once, up to its first `await` of a pending promise. Returns a promise of its first three results; if the first is a promise, it follows that. An error in `f` rejects it. In `f`, `await` suspends the coroutine and nothing else. A plain `coroutine.yield()` waits ...
---@param f any
---@param ... any
---@return datasession.Promise
function datasession.spawn(f, ...) end

---Waits. In a coroutine of `spawn` it suspends that coroutine alone; anywhere else it steps the engine, as `await` does.
---@param time any
---@return any ...
function datasession.sleep(time) end

---Waits for the next step: a long piece of work in a coroutine of `spawn` gives the host its frame back.
---@return any ...
function datasession.nextStep() end

---Calls `f(...)` later. Returns a promise of its first three results, which rejects with its error. `cancel()` drops the call.
---@param time any
---@param f any
---@param ... any
---@return datasession.Promise
function datasession.after(time, f, ...) end

---Calls `f()` again and again: first after `time`, then `time` after each call began, or when that call has ended, if it takes longer. `f` may await. When `f` returns false, the calls end. Its errors go to `onError`, and the calls go on. Returns a promise that resolves with true when the calls ...
---@param time any
---@param f any
---@return datasession.Promise
function datasession.every(time, f) end

---Returns a promise of `{ first value of each, in order, n = their number }`. It rejects with the first error; the other members go on.
---@param promises any
---@return datasession.Promise
function datasession.all(promises) end

---Returns a promise of the value, result and info of the first member that resolves. When all reject, it rejects with an error whose field `errors` holds the error of each, in order.
---@param promises any
---@return datasession.Promise
function datasession.any(promises) end

---Returns a promise that settles as the first member that settles. The other members go on. Raises for an empty array.
---@param promises any
---@return datasession.Promise
function datasession.race(promises) end

---Returns a promise of an array of outcomes, in order: `{ ok = true, value, result, info }` (by those names) or `{ ok = false, error = err }`. It does not reject.
---@param promises any
---@return datasession.Promise
function datasession.settled(promises) end

---Calls `f(item, index)` for each item, some at a time; `f` may await. Returns a promise of `{ first result of each, in order, n = their number }`. It rejects with the first error; the calls that run are then cancelled. Raises for mistakes in the arguments. Options of `datasession.map`, each with ...
---@param list any
---@param f any
---@param options? datasession.options.datasession_map
---@return datasession.Promise
function datasession.map(list, f, options) end

---Runs the engine once and calls handlers. Returns true if something is still pending: requests, handlers or timers (the timer of a `pingInterval` too).
---@param wait? any
---@param budget? any
---@return any ...
function datasession.step(wait, budget) end

---Steps until nothing is pending or `limit` seconds (default: no limit) have passed. Returns true if nothing is pending. With an active `pingInterval` and no limit it does not return.
---@param limit? any
---@return any ...
function datasession.run(limit) end

---Returns true if anything is pending.
---@return any ...
function datasession.pending() end

---Returns a descriptor, an integer, that is readable when `step` has something to do; nil outside Linux. Do not read or close it.
---@return any ...
function datasession.pollfd() end

---Returns the seconds until the next call of `step` is due; 0: now; nil: only the descriptor can bring work. Embedding shows how to connect an event loop.
---@return any ...
function datasession.timeout() end

---Sets the function that receives errors in handlers and rejected promises without a handler: `f(err, traceback)`. `err` is the value that was raised. If it is a string, it has the traceback appended and `traceback` is nil. nil restores the default. Returns the function that was set before, or ...
---@param f any
---@return datasession.Promise
function datasession.onError(f) end

---Defines the protocol, or redefines it for future sessions; then `datasession.new { protocol = name, ... }` makes sessions of it. Raises for an unknown field, a wrong type, or the name of a protocol of the library. `datasession.protocol` is its deprecated name. Fields of `functions`, each with ...
---@param name any
---@param functions any
---@return any ...
function datasession.defineProtocol(name, functions) end

---Returns the live session on which the script made its last call, such as a login, a request or a ping; nil: there is none. When that session is logged out, ended or collected, the session that was used before it becomes the active one.
---@return any ...
function datasession.activeSession() end

---Makes the session the active one and returns it. Returns nil and a message when no live session has the key. Raises for another type.
---@param session datasession.Session
---@return any ...
function datasession.setActiveSession(session) end

---Asks the server to end a session, given by key or as a session; nil: the active session. `timeout` is in seconds, 0 or more. The session goes on if the server refuses or does not respond within `timeout`; with 0 its first response decides. Exactly one of `onSuccess(key)` and `onFailure(key, ...
---@param key any
---@param timeout any
---@param onSuccess? any
---@param onFailure? any
---@return datasession.Promise
function datasession.stopSession(key, timeout, onSuccess, onFailure) end

---Ends the session at once: it is invalid when the call returns. A logout request with a time limit of two seconds goes out in the background. Returns true, or false when there is no such live session.
---@param key? any
---@return any ...
function datasession.endSession(key) end

---Sets the function that receives the log; nil: none, the default. `level` is the lowest that it gets: `"debug"`, `"info"` (the default), `"warning"` or `"error"`. Returns the function that was set before. `f(level, event, session, fields)` is called from the loop, like any handler, for each event ...
---@param f? any
---@param level? any
---@return any ...
function datasession.setLogger(f, level) end

---Creates a session; sends nothing. Raises when an option is unknown (the message suggests the nearest known one), has the wrong type or is out of range. Options of `datasession.new`, each with its type and default: The options of the other protocols are on their pages.
---@param options datasession.options.datasession_new
---@return any ...
function datasession.new(options) end

---Creates a session, logs in and loads catalogs. Returns a promise of (session, `SUCCESS`, info of `session:addCatalog`). When a step fails, `getSession` invalidates the session, logs out the provider that it created, and rejects with the step's error. It rejects with `err.kind == "auth"` when the ...
---@param options datasession.options.datasession_getSession
---@return datasession.Promise
function datasession.getSession(options) end

---Returns an array of every live session of this Lua state, oldest first, without invalidated ones.
---@return any ...
function datasession.sessions() end

---Returns a function for `onProgress` that draws a bar on standard error: the body that is sent, then the one that is received. `label` (string) stands before it. Where standard error is no terminal it writes nothing.
---@param label? any
---@return any ...
function datasession.progressBar(label) end

---Writes the changes of named sessions and waits, at most `timeout` seconds (default 3), until everything that file stores have received is on the disk. Returns true; nil and a message when the time is over, or when a write has failed since the last report.
---@param timeout? any
---@return any ...
function datasession.flush(timeout) end

---Sets the function for all sessions and providers; nil: none, the default. Returns the function that was set before.
---@param f? any
---@return any ...
function datasession.onRequest(f) end

---The same for responses.
---@param f? any
---@return any ...
function datasession.onResponse(f) end

---@class datasession.date
local date = {}

---Returns the date table of a text; or nil and a message.
---@param text string
---@return any ...
function date.parse(text) end

---Returns the text of a table, of a text or of seconds since 1970, for `"DATE"`, `"DATETIME"` or `"DATETIME-TZ"`; the default is what the value is. Raises for a value that is no date.
---@param value any
---@param ablType? any
---@return any ...
function date.format(value, ablType) end

---Returns the seconds from 1970-01-01 00:00 UTC to a table or text. `offset` is the zone of a value that has none.
---@param value any
---@param offset? any
---@return any ...
function date.toEpoch(value, offset) end

---Returns the date table, with time and zone. `offset` is the zone of the result; the default is that of the process.
---@param seconds any
---@param offset? any
---@return any ...
function date.fromEpoch(seconds, offset) end

---Return the present time, and today's date, as tables.
---@param offset? any
---@return any ...
function date.now(offset) end

---Return the present time, and today's date, as tables.
---@return any ...
function date.today() end

---@class datasession.Engine
local Engine = {}

---the same as `datasession.pollfd()`
---@return any ...
function Engine:pollfd() end

---`"r"`
---@return any ...
function Engine:events() end

---the same as `datasession.timeout()`
---@return any ...
function Engine:timeout() end

---the descriptor, or -1
---@return any ...
function Engine:getfd() end

---true if `step` has something to do now
---@return any ...
function Engine:dirty() end

---the same as `datasession.step`
---@param wait? any
---@param budget? any
---@return any ...
function Engine:step(wait, budget) end

---the same as `datasession.run`
---@param limit? any
---@return any ...
function Engine:run(limit) end

---@class datasession.Error
---@field kind datasession.ErrorKind one of the kinds
---@field message string one line: the call, the cause, the server's words
---@field hint string|nil what a person can do about it
---@field result integer|boolean the result code; false for a `ping` that was sent
---@field httpStatus integer|nil of the response, if one came
---@field uri string|nil of the response or the request, without query
---@field attempts integer|nil how often a call with `retry` was sent
---@field retryable boolean true if the same call may succeed when it is repeated unchanged
---@field info table `info` of the call; at least `{ errorObject }`
---@field session datasession.Session|nil the owner of the call
---@field provider datasession.Provider|nil the owner of the call
---@field jsdo any the owner of the call
---@field response datasession.Response|nil of `session:request`, if a response came
---@field traceback string|nil of the kind `"error"`
local Error = {}

---@class datasession.Executor
---@field executeMethod any `session:invoke(class, method, params, options)`; `session:request` for addresses of your own
---@field executeMethodURL any `session:invoke(class, method, params, options)`; `session:request` for addresses of your own
---@field getMethodURL any the same names
local Executor = {}

---@class datasession.Field
---@field name string
---@field type string|nil
---@field ablType string|nil
---@field format string|nil
---@field origName string|nil
---@field title string|nil
---@field default any `datasession.null` where the document has null
---@field maxItems number of array fields
---@field items number of array fields
local Field = {}

---@class datasession.Hop
---@field method string the request, the URI without query
---@field uri string the request, the URI without query
---@field status integer HTTP status; nil: there was no response
---@field start number when the hop began, in seconds since the first one did
---@field queued number seconds, one after another. `queued`: until a connection was free; `wait`: from then to the first byte of the response, so sending is part of it. A connection that was open already has no `resolve`, `connect` and `tls`
---@field resolve number seconds, one after another. `queued`: until a connection was free; `wait`: from then to the first byte of the response, so sending is part of it. A connection that was open already has no `resolve`, `connect` and `tls`
---@field connect number seconds, one after another. `queued`: until a connection was free; `wait`: from then to the first byte of the response, so sending is part of it. A connection that was open already has no `resolve`, `connect` and `tls`
---@field tls number seconds, one after another. `queued`: until a connection was free; `wait`: from then to the first byte of the response, so sending is part of it. A connection that was open already has no `resolve`, `connect` and `tls`
---@field wait number seconds, one after another. `queued`: until a connection was free; `wait`: from then to the first byte of the response, so sending is part of it. A connection that was open already has no `resolve`, `connect` and `tls`
---@field receive number seconds, one after another. `queued`: until a connection was free; `wait`: from then to the first byte of the response, so sending is part of it. A connection that was open already has no `resolve`, `connect` and `tls`
---@field total number their sum
---@field reused boolean true if the connection was open already
---@field tries integer how often the request was sent: more than once when a kept connection proved dead or the server refused it unprocessed
---@field sent integer bytes of the bodies, without headers; the response's after decoding
---@field received integer bytes of the bodies, without headers; the response's after decoding
local Hop = {}

---@class datasession.JSDO
---@field name string the resource
---@field session datasession.Session
---@field resource table its description in the catalog
---@field record datasession.Record the working record of the only table
---@field defaultTableRef table the only table; nil if there are several
---@field autoApplyChanges boolean may be set
---@field useRelationships boolean may be set
---@field autoSort boolean may be set
---@field caseSensitive boolean may be set
---@field viewTables any may be set
---@field hasCUDOperations boolean true if the catalog has a create, update or delete operation
---@field hasSubmitOperation boolean true if it has a submit operation
---@field operations any The operations as functions: `customers.operations.RaiseCreditLimit { custNum = 1, amount = 50 }` is `customers:invoke("RaiseCreditLimit", { custNum = 1, amount = 50 })`.
local JSDO = {}

---Adds a record and returns it; it becomes the working record. The values are the defaults of the catalog, then the keys of the parent's working record, then `values`. `TODAY` and `NOW` as the default of a date give the local date and the present time. Raises for unknown fields, and when the ...
---@param values? any
---@return any ...
function JSDO:add(values) end

---Adds a record and returns it; it becomes the working record. The values are the defaults of the catalog, then the keys of the parent's working record, then `values`. `TODAY` and `NOW` as the default of a date give the local date and the present time. Raises for unknown fields, and when the ...
---@param values? any
---@return any ...
function JSDO:create(values) end

---As `record:assign` and `record:remove`, for the working record.
---@param values any
---@return any ...
function JSDO:assign(values) end

---As `record:assign` and `record:remove`, for the working record.
---@param values any
---@return any ...
function JSDO:update(values) end

---As `record:assign` and `record:remove`, for the working record.
---@return any ...
function JSDO:remove() end

---Returns an iterator: `for record in jsdo:records() do`. The working record stays. With options it reads from the server in pages: see `jsdo:pages`.
---@return any ...
function JSDO:records() end

---Calls `fn(record)` for each record, which is the working record meanwhile. The loop ends when `fn` returns false.
---@param fn any
---@return any ...
function JSDO:foreach(fn) end

---Returns the first record for which `fn(record)` returns true; it becomes the working record. Returns nil if there is none. Raises when `fn` returns no boolean.
---@param fn any
---@return any ...
function JSDO:find(fn) end

---Returns the record with that id, a string or a number; nil if there is none. It becomes the working record. It searches all records, whatever their relations.
---@param id any
---@return any ...
function JSDO:findById(id) end

---Returns an array of plain copies of the rows; null stands as `datasession.null`. Options of `jsdo:getData`, each with its type and default:
---@param options? datasession.options.jsdo_getData
---@return any ...
function JSDO:getData(options) end

---Returns an array of descriptions of the fields, in the catalog's order: `name`, `type`, and what else the catalog says. OpenEdge adds fields of its own, whose names begin with `_`, such as `_errorString`.
---@return any ...
function JSDO:getSchema() end

---Return the working record's id (0 without a record) and its error (nil without one).
---@return any ...
function JSDO:getId() end

---Return the working record's id (0 without a record) and its error (nil without one).
---@return any ...
function JSDO:getErrorString() end

---Returns true if there is a record in memory.
---@return any ...
function JSDO:hasData() end

---Keep the table sorted: by an array of `"Name"`, `"Name:DESC"` or `{ field = "Name", dir = "DESC" }`; by a function of two records that returns a negative number, or true, if the first comes first. If both are set, the function decides; nil unsets. While `autoSort` is true, changed records are ...
---@param fields any
---@return any ...
function JSDO:setSortFields(fields) end

---Keep the table sorted: by an array of `"Name"`, `"Name:DESC"` or `{ field = "Name", dir = "DESC" }`; by a function of two records that returns a negative number, or true, if the first comes first. If both are set, the function decides; nil unsets. While `autoSort` is true, changed records are ...
---@param fn any
---@return any ...
function JSDO:setSortFn(fn) end

---Sorts once.
---@param fields any
---@return any ...
function JSDO:sort(fields) end

---Adds rows that the program has, as unchanged records. `data` is an array of rows, `{ table = rows }` or `{ dataset = { table = rows } }`, also with the keys of a before-image, whose changes become pending ones. `keyFields` is an array of names, or `{ table = names }`. Raises when nothing could ...
---@param data any
---@param mode any
---@param keyFields? any
---@return any ...
function JSDO:addRecords(data, mode, keyFields) end

---Returns true if there is a pending change.
---@return any ...
function JSDO:hasChanges() end

---Returns an array of `{ rowState = "created" | "modified" | "deleted", record = record }`, for each table the oldest change first.
---@return any ...
function JSDO:getChanges() end

---Forget the values before the changes; undo all changes. Undoing is exact: deleted records return to their places. Both raise while a save is pending.
---@return any ...
function JSDO:acceptChanges() end

---Forget the values before the changes; undo all changes. Undoing is exact: deleted records return to their places. Both raise while a save is pending.
---@return any ...
function JSDO:rejectChanges() end

---The same for the working record. `acceptRowChanges` raises if the last save of the record failed.
---@return any ...
function JSDO:acceptRowChanges() end

---The same for the working record. `acceptRowChanges` raises if the last save of the record failed.
---@return any ...
function JSDO:rejectRowChanges() end

---Reads records. They replace those in memory, or with `mergeMode` are merged with them. Filters describes `filter`. Returns a promise of (jsdo, SUCCESS, request). After it the first record of each table is the working record, and pending changes are gone. A fill waits for a save that is pending. ...
---@param filter? any
---@return datasession.Promise
function JSDO:fill(filter) end

---Reads records. They replace those in memory, or with `mergeMode` are merged with them. Filters describes `filter`. Returns a promise of (jsdo, SUCCESS, request). After it the first record of each table is the working record, and pending changes are gone. A fill waits for a save that is pending. ...
---@param filter? any
---@return datasession.Promise
function JSDO:read(filter) end

---Sends the pending changes. Returns a promise of (jsdo, SUCCESS, request); with nothing to save it resolves at once. Saves that are begun while another is pending wait for it. Raises for wrong arguments, and when the catalog lacks an operation that the changes need. - **Record by record** (the ...
---@param submit? any
---@return datasession.Promise
function JSDO:saveChanges(submit) end

---Returns an array of the errors of the last fill or save, in the order in which they came. A table reference returns those of its own table. Each entry has `type`, `error` (a text), and, where they apply, `errorNum`, `id`, `record`, `tableName` and `responseText`.
---@return any ...
function JSDO:getErrors() end

---Calls an operation of the catalog that has type `invoke` or `count`. `parameters` is a table by name: those of the address and those of the body; records and Lua tables become JSON. A table parameter takes an array of rows, such as `jsdo:getData()`, a dataset one for each table: `{ dsOrder = { ...
---@param name any
---@param parameters? any
---@return datasession.Promise
function JSDO:invoke(name, parameters) end

---Calls `handler` when the event fires; with a `scope`, that is its first argument. Names are accepted in any case. `operation`, for the events of `invoke` alone, limits them to one operation. The events of records may be subscribed on a table reference too; its handlers run first. Raises for an ...
---@param event any
---@param operation? datasession.Operation
---@param handler any
---@param scope? any
---@return any ...
function JSDO:subscribe(event, operation, handler, scope) end

---Removes a subscription made with the same arguments. Returns the object.
---@param event any
---@param operation? datasession.Operation
---@param handler any
---@param scope? any
---@return any ...
function JSDO:unsubscribe(event, operation, handler, scope) end

---Removes all subscriptions of an event, by default of all events. Returns the object. A handler of a `before` event cancels what is about to happen by returning false: the call rejects with kind `"cancelled"`, and a change that was not sent stays pending. An error in a handler goes to `onError` ...
---@param event? any
---@return datasession.Promise
function JSDO:unsubscribeAll(event) end

---Stores all records with the changes that are not saved yet, or with the mode `datasession.data.CHANGES_ONLY` (default `datasession.data.ALL_DATA`) the changed ones alone. Returns true.
---@param name? any
---@param mode? any
---@return any ...
function JSDO:saveLocal(name, mode) end

---Replaces memory by the stored records. Returns true; false when nothing is stored. Raises when the stored tables are not those of the data object.
---@param name? any
---@return any ...
function JSDO:readLocal(name) end

---Merges the stored records into memory; `mode` is `datasession.data.MODE_REPLACE`. `keyFields` defaults to the catalog's primary key, else its idProperty. Returns as `readLocal`.
---@param name? any
---@param mode any
---@param keyFields? any
---@return any ...
function JSDO:addLocalRecords(name, mode, keyFields) end

---Removes the stored records. Memory stays. Returns true.
---@param name? any
---@return any ...
function JSDO:deleteLocal(name) end

---Store a value of the program with the data object. It is never sent. nil removes it.
---@param name any
---@param value any
---@return any ...
function JSDO:setProperty(name, value) end

---Store a value of the program with the data object. It is never sent. nil removes it.
---@param name any
---@return any ...
function JSDO:getProperty(name) end

---Replace all properties by those of a table; return a copy of all.
---@param values any
---@return any ...
function JSDO:setProperties(values) end

---Replace all properties by those of a table; return a copy of all.
---@return any ...
function JSDO:getProperties() end

---Read a table in pages, each when the loop asks for it: `for page in jsdo:pages { top = 200 } do` gives arrays of records, `for record in jsdo:records { top = 200 } do` the records themselves. They work in coroutines and outside, and end at the first page with fewer than `top` records. The first ...
---@param options any
---@return any ...
function JSDO:pages(options) end

---Asks the server how many records a fill with that filter would read, by the catalog's operation of type `count`. Returns a promise of (number, SUCCESS, request). Raises if there is no such operation.
---@param filter? any
---@return datasession.Promise
function JSDO:count(filter) end

---@class datasession.Link
---@field session any The session.
---@field options any A table of the protocol's own options.
---@field expiresAt any Can be set: when the session expires, in seconds since the epoch. The session takes it over when a function, or `judge`, returns without failure, and clears it when the session ends.
---@field protocol any The table of functions.
local Link = {}

---Sends a request as `session:request` does, but as part of the running function: it does not wait for a reconnect, and its response affects the session only through the function's result.
---@param options any
---@return any ...
function Link:request(options) end

---@class datasession.Operation
---@field type string `"create"`, `"read"`, `"update"`, `"delete"`, `"submit"`, `"count"`, `"invoke"`
---@field name string|nil
---@field verb string `"GET"`, `"POST"`, `"PUT"`, `"DELETE"`
---@field path string as in the document; absolute, with `{placeholders}`
---@field uri string as in the document; absolute, with `{placeholders}`
---@field params any[]
---@field useBeforeImage boolean
---@field mergeMode string
---@field mappingType string|nil
---@field capabilities string[]
local Operation = {}

---Returns the operation's URI with its `{placeholders}` replaced by percent-encoded values: strings, numbers and booleans as they are (0, false and `""` too), tables as JSON, `datasession.null` as the empty string. Raises when a value is missing; the message names the parameter, and a value with a ...
---@param values? any
---@return any ...
function Operation:expand(values) end

---@class datasession.Promise
local Promise = {}

---Calls `f(value, result, info)` when the promise resolves. Returns the promise. Raises when `f` is not a function.
---@param f any
---@return datasession.Promise
function Promise:done(f) end

---Calls `f(value, result, info)` when the promise rejects: the session (or provider, or nil), the result code, and `info`, whose `errorObject` is the error. Returns the promise.
---@param f any
---@return datasession.Promise
function Promise:fail(f) end

---Calls `f(value, result, info)` in either case. Returns the promise.
---@param f any
---@return datasession.Promise
function Promise:always(f) end

---Returns a new promise. `onDone(value, result, info)` or `onFail(err)` is called. Its results, at most three, resolve the new promise; if the first is a promise, the new one settles as that does. An error in the function rejects the new promise. A missing function passes the outcome on.
---@param onDone? any
---@param onFail? any
---@return datasession.Promise
function Promise:next(onDone, onFail) end

---Waits until the promise settles. Returns `value, result, info`, or `nil, err`, so `assert(promise:await())` returns the result or raises the error. In a coroutine of `datasession.spawn` it suspends that coroutine alone. Anywhere else, also in a handler, it steps the engine, so other sessions go ...
---@param timeout? any
---@return datasession.Promise
function Promise:await(timeout) end

---Aborts the transfer and rejects with the kind `"cancelled"`. For a promise of `next` it cancels the promise on which `next` was called; for one of `spawn` it closes the waiting coroutine. Returns true, or false when the promise has settled already or its coroutine is running. Never waits for the ...
---@return datasession.Promise
function Promise:cancel() end

---Returns `"pending"`, `"resolved"` or `"rejected"`. A rejected promise without `fail`, `always`, `next`, `await` or `cancel` is reported to `datasession.onError`, once, when it is collected.
---@return datasession.Promise
function Promise:state() end

---@class datasession.Provider
---@field uri string read-only
---@field authenticationModel string read-only, lower case
---@field automaticTokenRefresh boolean settable; another type raises
local Provider = {}

---Logs in; `provider:login(token)` for bearer, `provider:login()` for anonymous. Resolves only for HTTP 200. Rejects with `AUTHENTICATION_FAILURE` for 401 or a login page, else with `GENERAL_FAILURE`, also when the provider is logged in already or another login is pending. For form_sso the ...
---@param username any
---@param password any
---@return datasession.Promise
function Provider:login(username, password) end

---Forgets cookies, credentials and tokens at once. Form and form_sso send a logout request if they were logged in: 200 and 401 resolve, any other status rejects with `GENERAL_FAILURE`. A pending login rejects with `err.kind == "cancelled"`. Sessions of the provider expire and fire `lost` and ...
---@return any ...
function Provider:logout() end

---Requests new tokens with the refresh token. Returns the promise of the pending refresh, if there is one. Rejects:
---@return datasession.Promise
function Provider:refresh() end

---Returns true if the provider is logged in.
---@return any ...
function Provider:hasClientCredentials() end

---Returns true if the provider is logged in and has a refresh token.
---@return any ...
function Provider:hasRefreshToken() end

---@class datasession.Record
---@field id any the text of the catalog's `idProperty`, else a generated text
---@field state string `"created"`, `"modified"`, `"deleted"`, or nil without a change
---@field before any a plain copy of the row before the change; nil for a new record
---@field errorString any the error of the last save; nil without one
---@field conflict any see conflicts; nil without one
---@field data any the record itself
local Record = {}

---the text of the catalog's `idProperty`, else a generated text
---@return any ...
function Record:getId() end

---`"created"`, `"modified"`, `"deleted"`, or nil without a change
---@return any ...
function Record:getState() end

---a plain copy of the row before the change; nil for a new record
---@return any ...
function Record:getBefore() end

---the error of the last save; nil without one
---@return any ...
function Record:getErrorString() end

---see conflicts; nil without one
---@return any ...
function Record:getConflict() end

---Returns a plain copy of the row; null stands as `datasession.null`.
---@return any ...
function Record:toTable() end

---Sets several fields. Texts for number fields are converted, as is a text such as `"[1,2,3]"` for an array field. Returns true. Raises for an unknown field, and changes nothing then.
---@param values any
---@return any ...
function Record:assign(values) end

---Sets several fields. Texts for number fields are converted, as is a text such as `"[1,2,3]"` for an array field. Returns true. Raises for an unknown field, and changes nothing then.
---@param values any
---@return any ...
function Record:update(values) end

---Deletes the record: in memory now, on the server by the next `saveChanges`. Returns true.
---@return any ...
function Record:remove() end

---As `jsdo:acceptRowChanges()`, for this record.
---@return any ...
function Record:acceptRowChanges() end

---As `jsdo:acceptRowChanges()`, for this record.
---@return any ...
function Record:rejectRowChanges() end

---Makes the change pending again, on top of what is stored now; the next save sends it. A record that another client has deleted is created again. Returns the record. Raises when there is no conflict.
---@return any ...
function Record:keepMine() end

---Drops the change: the record is what is stored now, and leaves memory if it was deleted. Returns the record. Raises when there is no conflict.
---@return any ...
function Record:takeTheirs() end

---Decides field by field. `choices` is a table of `"mine"`, `"theirs"` or a value by field; a field that only one side changed needs none. Returns the record. Raises when there is no conflict, when either side deleted the record, and for a field that both sides changed and that `choices` lacks.
---@param choices any
---@return any ...
function Record:merge(choices) end

---@class datasession.Request
---@field jsdo any the same
---@field fnName any the same
---@field operation any the same
---@field success any the same
---@field response any the same
---@field objParam any the same
---@field async any the same
---@field jsrecord any the same
---@field jsrecords any the same
---@field batch any the same
---@field xhr any a response; absent when none came
---@field exception any an error, of every failure
---@field method string
---@field uri string the URI as it is sent, with its query. In steps that the session takes by itself (login, reconnect, refresh, ping, logout) without it
---@field publicURI string the URI without query and path parameters, as `response.uri` and `err.uri` are
---@field verb string the call that sends it: `"login"`, `"ping"`, `"addCatalog"`, `"request"`, `"invoke"`, `"reconnect"`, `"refresh"`
---@field attempt integer 1, and more when the call is sent again
---@field headers table the header lines by name in lower case, with those of the protocol; without those that libcurl makes: Host, Cookie, Content-Length, Accept-Encoding. The values of Authorization and of DataSnap's session id are shown as `"***"`
---@field body string|nil the body; nil in the session's own steps, and for a body that a file, a form or a function gives
---@field bodySize integer|nil its bytes; nil: not known yet
---@field session any who sends it
---@field provider any who sends it
local Request = {}

---@class datasession.Resource
---@field name string as in the document
---@field path string as in the document
---@field uri string absolute
---@field service table the service it belongs to
---@field idProperty string|nil
---@field schemaForm string|nil `"dataset"`, `"temp-table"`, `"record"`, `"old"`; nil: no schema
---@field datasetName string|nil keys of the bodies
---@field dataProperty string|nil keys of the bodies
---@field tables any[]
---@field relations any[]
---@field operations any[]
local Resource = {}

---Returns the operation of that type or name; a type takes precedence. Returns nil when the resource has no operation of a type, such as `"delete"`; raises when it has none of another name.
---@param nameOrType any
---@return any ...
function Resource:operation(nameOrType) end

---Returns the fields of a resource with one table; nil and a message for others.
---@return any ...
function Resource:fields() end

---@class datasession.Response
---@field status integer HTTP status
---@field ok boolean true if the status is 200 to 299
---@field headers table values by name in lower case; the lines of one name are joined with a comma. Set-Cookie is left out, and so is a Pragma that holds the id of a DataSnap session
---@field body string the body, decompressed; unchanged where Content-Encoding names no encoding, such as a charset
---@field uri string the URI of the response, after redirects, without query
---@field timing table times in seconds: `resolve`, `connect`, `tls` and `firstByte` since the start of the last hop, 0 where the phase did not occur; `total` of all hops
---@field timings table the times of every request of the call
---@field attempts integer which attempt this is the response to: 1, or more after a retry or a reconnect
local Response = {}

---iterates over the pieces, strings. It waits for each as `await` does, and raises when the body does not come whole. Several loops, each in a `spawn`, share the pieces.
---@return any ...
function Response:chunks() end

---iterates over the lines, without their ends (LF or CR LF).
---@return any ...
function Response:lines() end

---ends the transfer and drops the rest. `<close>` and the collector do so too.
---@return any ...
function Response:close() end

---Returns the decoded body; or nil and a message. JSON's null is `datasession.null`.
---@return any ...
function Response:json() end

---@class datasession.sandbox
local sandbox = {}

---Starts a server and returns it; or nil and a message, for example when the port is taken. Options of `sandbox.start`, each with its type and default:
---@param options? datasession.options.sandbox_start
---@return any ...
function sandbox.start(options) end

---@class datasession.SandboxServer
---@field port integer
---@field origin string such as `http://127.0.0.1:40123`
---@field uris table root of each application by model
---@field catalogURIs table its catalog's URI by model
---@field caFile string PEM file of the authority of a certificate made at the start; else nil
local SandboxServer = {}

---Returns the URI of a model's catalog `"CustomerService"` (the default; it is `server.catalogURIs[model]`) or `"OrderService"`, or of one of the option `catalogs`; nil for a model without a catalog; raises for an unknown name.
---@param model any
---@param catalog? datasession.Catalog
---@return any ...
function SandboxServer:catalogURI(model, catalog) end

---Starts a stopped server again, on the same port; customers, server sessions and faults are unchanged. Returns true, or nil and a message.
---@return any ...
function SandboxServer:start() end

---Stops listening and closes every connection. Later connects are refused.
---@return any ...
function SandboxServer:stop() end

---Calls `stop`, then `start`; returns the result of `start`.
---@return any ...
function SandboxServer:restart() end

---Stops the server for good, frees its resources and removes its `caFile`. It may be called twice; the collector and a to-be-closed variable call it too.
---@return any ...
function SandboxServer:close() end

---Returns true if the server listens.
---@return any ...
function SandboxServer:isRunning() end

---Switches the AppServer of one model, or of all, on or off. Without it, data requests and the newer ping get 500, and the classic ping has PingStatus `"false"`; `btt` responds with DSECSServerNotStartedException, `proiv` with 503.
---@param up any
---@param model? any
---@return any ...
function SandboxServer:setAppServer(up, model) end

---Deploys or undeploys a model's application. Requests to an undeployed application get 404.
---@param model any
---@param up any
---@return any ...
function SandboxServer:setApplication(model, up) end

---Selects the ping service: `"new"` (`/rest/_oepingService/_oeping`), `"classic"` (`/rest/_oeping`) or `"none"`.
---@param ping any
---@return any ...
function SandboxServer:setPing(ping) end

---Adds a fault for the next requests. Faults are used in the order of their addition. Options of `server:fault`, each with its type and default:
---@param options datasession.options.server_fault
---@return any ...
function SandboxServer:fault(options) end

---Answers requests by a function of your own, in front of the applications: `method` (string; `"GET"` answers HEAD too, `"*"` is any), `pattern` (string: the path, or a Lua pattern of the whole decoded path, without path parameters) and `handler` (function; false removes the route). The newest ...
---@param method any
---@param pattern any
---@param handler any
---@param state? any
---@return any ...
function SandboxServer:route(method, pattern, handler, state) end

---Runs a function, as those of routes, for every request, before its route or application. One that returns nothing lets the request pass. false: no function.
---@param handler any
---@param state? any
---@return any ...
function SandboxServer:onRequest(handler, state) end

---Removes all routes and the function of `onRequest`.
---@return any ...
function SandboxServer:clearRoutes() end

---Removes all faults, except those of pending requests, and all refusals.
---@return any ...
function SandboxServer:clearFaults() end

---Sends the answers that a fault delays, of all requests that the log has. A test can so let an answer come when it wants: `server:fault { kind = "slow", delay = 60 }`, a call, `server:awaitRequests(1)`, what is to happen first, `server:endDelays()`. Faults to come keep their delay.
---@return any ...
function SandboxServer:endDelays() end

---Makes the data services refuse changes of rows. Options of `server:refuseRows`, each with its type and default:
---@param options? datasession.options.server_refuseRows
---@return any ...
function SandboxServer:refuseRows(options) end

---Changes how the data services behave; other settings stay. Options of `server:setData`, each with its type and default:
---@param options datasession.options.server_setData
---@return any ...
function SandboxServer:setData(options) end

---Returns the rows that a table has now, in the order of their addition. `cjson.null` is the unknown value.
---@param table table
---@return any ...
function SandboxServer:rows(table) end

---Stores a row as another client does: its values go into the record with its key, or into a new one. Nothing is checked. Returns the record.
---@param table table
---@param row any
---@return any ...
function SandboxServer:putRow(table, row) end

---Removes the record with the key of a row as another client does. Returns false if there is none.
---@param table table
---@param row any
---@return any ...
function SandboxServer:dropRow(table, row) end

---Ends the server sessions of one model, or all, as a restart does.
---@param model? any
---@return any ...
function SandboxServer:expireSessions(model) end

---Returns the number of live, logged-in server sessions.
---@param model? any
---@return any ...
function SandboxServer:sessionCount(model) end

---Makes server sessions and tokens older by this time.
---@param seconds any
---@return any ...
function SandboxServer:advanceClock(seconds) end

---Expires all access tokens issued so far; a refresh still works.
---@return any ...
function SandboxServer:expireTokens() end

---Does the same, and refuses all refresh tokens issued so far.
---@return any ...
function SandboxServer:revokeTokens() end

---Changes the token server's response: the members of a table replace those of the response, and false removes one; a string is the whole body; nil: the default.
---@param answer? any
---@return any ...
function SandboxServer:setTokenAnswer(answer) end

---Returns the number of successful refreshes.
---@return any ...
function SandboxServer:tokenRefreshes() end

---Selects the response of the application `old` without a login: `"pages"` (the default: status 200 and the login page), `"redirect"` (302 to it), `"json"` (status 200, and a body with `status_code` 401).
---@param style any
---@return any ...
function SandboxServer:setOldStyle(style) end

---Adds X-CLIENT-PROPS to every 2xx response of a model's application: a table is sent as JSON, a string unchanged. nil: no such header.
---@param model any
---@param properties? any
---@return any ...
function SandboxServer:setContextProperties(model, properties) end

---Switches X-CLIENT-CONTEXT-ID on or off in 2xx responses to logged-in clients, for form, form_sso, sso or old, or all of them. The default is on.
---@param on any
---@param model? any
---@return any ...
function SandboxServer:setContextIds(on, model) end

---Switches the cookie JSESSIONID of logins on or off, for form, form_sso or old, or all of them. The default is on. Without it, only the path parameter JSESSIONID identifies a session.
---@param on any
---@param model? any
---@return any ...
function SandboxServer:setCookies(on, model) end

---Changes how `datasnap` handles sessions; other settings stay. Options of `server:setDataSnap`, each with its type and its value at the start:
---@param options datasession.options.server_setDataSnap
---@return any ...
function SandboxServer:setDataSnap(options) end

---Resets the connections of the requests that wait for messages of a callback channel. The channels stay, with all their messages. A message that is lost on the way is made by the fault `truncate` for the path `ConsumeClientChannel` and the method POST.
---@return any ...
function SandboxServer:resetChannels() end

---Returns how often the methods of `datasnap` and the operations of `btt` ran: integers by name, as in `{ ["TStock.updateOrder"] = 1, ["btt.Transfer"] = 2 }`. Calls that were refused, or that a fault kept from the application, do not count.
---@return any ...
function SandboxServer:calls() end

---Changes the behaviour of the application `btt`; other settings stay. Sessions are established by a POST to `/bank/CSEstablishSessionServlet` (in XML also a GET, and more text may follow in the path) or, in XML alone, a POST or GET to `/bank/XmlEstablishSessionServlet`, with `createSession`, ...
---@param options datasession.options.server_setBtt
---@return any ...
function SandboxServer:setBtt(options) end

---Changes the behaviour of the application `proiv`; other settings stay. A session is opened by a GET of `/connect?SESSION_NAME=Default` (or `Orders`; `Disabled` is 404) or by a POST of a form with `SessionType`, `Hostname`, `Port`, `Username` and `Password`, `Command` and `ResourceURL` (401 ...
---@param options datasession.options.server_setProiv
---@return any ...
function SandboxServer:setProiv(options) end

---Changes the behaviour of the authorization server `oauth`; other settings stay. `POST /oauth/token` takes the grants `client_credentials`, `refresh_token` (each refresh token is good once) and the device flow's, with the client's id and secret in the form or by HTTP Basic. `POST ...
---@param options datasession.options.server_setOAuth
---@return any ...
function SandboxServer:setOAuth(options) end

---Approves the device that shows this code, as a user does on the page; refuses it when `approved` is false. Returns false if no device shows the code.
---@param code any
---@param approved? any
---@return any ...
function SandboxServer:approveDevice(code, approved) end

---Returns the requests since the last `clearRequests`, oldest first, at most 10,000: tables of `method`, `uri`, `path`, `parameters`, `query`, `headers` (by lower-case name), `body`, `size` (of the body, bytes), `status`, `model`, `route` (as `"GET /stock"`), `fault`, `failure` (of a function of ...
---@return any ...
function SandboxServer:requests() end

---Empties the log of requests.
---@return any ...
function SandboxServer:clearRequests() end

---Waits, blocking the host, until `n` requests have come since the last `clearRequests`; returns false when `timeout` seconds (default 10) pass first.
---@param n any
---@param timeout? any
---@return any ...
function SandboxServer:awaitRequests(n, timeout) end

---@class datasession.Service
---@field name string as in the document
---@field address string as in the document
---@field uri string absolute
---@field settings table booleans `useRequest`, `sendOnlyChanges`, `unwrapped`, `useXClientProps`
---@field useRequest boolean the setting of that name
---@field resources any[]
local Service = {}

---Returns the resource of that name. Raises when there is none.
---@param name any
---@return any ...
function Service:resource(name) end

---@class datasession.Session
---@field onOpenRequest any give a value of the kind that the message names
---@field serviceStatus any meaning
---@field expiresAt any When the session expires unless it is used before, in seconds since the epoch. nil: the session does not expire, or the service does not tell. Each response with a deadline updates the value. Events, each with its handler and what fires it: Each cause fires one event, and then `offline`: - the ...
---@field key any A string that identifies the session in functions that take a key: the name of its protocol, a hyphen and 32 random hexadecimal digits. It is unique in the process. It is a secret: code that has it can end the session.
---@field authenticationModel string the model, in lower case
---@field authProvider datasession.Provider|nil while logged in: the provider of the options, or one that represents the session's own login
---@field catalogs any[] the loaded catalogs, in order
---@field catalogURIs string[] the URIs of the loaded catalogs, as passed to `addCatalog`
---@field clientContextId string|nil the last X-CLIENT-CONTEXT-ID from the server; nil after logout. A response without the header does not change it
---@field connected boolean true if the session is logged in and the last responses showed no fault of the application or of this machine's network
---@field JSDOs any[] the data objects of the session that the script still uses, the oldest first. The list keeps none of them alive
---@field loginHttpStatus integer|nil HTTP status of the last login, check or ping that affected the login, also when its provider was logged out; 0: no response came; nil: no request was made, or the session is logged out
---@field loginResult integer|nil result code of the last login; `AUTHENTICATION_FAILURE` after the session expired; nil as above
---@field name string|nil the option
---@field onRequest function|nil the options; can be set
---@field onResponse function|nil the options; can be set
---@field pingInterval number the option; can be set to 0 or more, or a text. Setting it replaces the timer; 0 stops it
---@field protocol string the option
---@field reconnect table|nil the option, with its defaults; nil: the session does not reconnect by itself
---@field retry table|nil the option, with its defaults; nil: calls are not sent again
---@field services any[] services of the loaded catalogs
---@field serviceURI string the option, without trailing slashes
---@field sessionId string|nil the service's id of the session, if known. It is a secret; no message holds it
---@field state string `"logged out"`, `"logging in"`, `"connected"`, `"offline"`, `"reconnecting"`, `"closing"`, `"expired"`, `"unconfirmed"`, `"restored"` or `"invalid"`: see Events and states
---@field status any the deprecated name of `session.serviceStatus`
---@field userName string|nil the name last passed to `login` or `getSession`, even if the server refused it; nil for anonymous and bearer, and after logout
local Session = {}

---Gives a bearer session that is logged in a new token, with the seconds that it lives (default: unknown). The next requests carry it; pending ones keep the token that they were sent with. A request that the server refuses for the old token is sent again with the new one. The old token is wiped ...
---@param token any
---@param expiresIn? any
---@return any ...
function Session:setToken(token, expiresIn) end

---Establishes the session; `session:login` is the same. Without an argument, or with nil or true, it creates a session. With false it joins an existing one, found by the terminal or by a predefined id (documented). The argument may also be a table: The names are documented. With `format = "json"` ...
---@param newSession? any
---@return datasession.Promise
function Session:establishSession(newSession) end

---Returns the terminal, or nil: that of the reply that named one last (`serverTID`), else that of the option or of `establishSession`. Later requests send it (documented).
---@return any ...
function Session:tid() end

---Returns `session.serviceStatus`.
---@return any ...
function Session:getSessionStatus() end

---Runs an operation and returns a promise of (result, `SUCCESS`, info). The result is the reply's `result` or `dse_resultData`, or else the whole reply (for a page: the table of its hidden inputs). `info` has `reply` (the whole reply, a table), `requestId` (a number of the session's own) and `xhr` ...
---@param operation datasession.Operation
---@param data? any
---@param options? datasession.options.session_invoke
---@return datasession.Promise
function Session:invoke(operation, data, options) end

---Adds a cookie, for example for a security proxy in front of the server. Returns the session. Raises for names and values that a header line cannot hold, and when there is no room.
---@param name any
---@param value any
---@return any ...
function Session:addCookie(name, value) end

---Returns an array of the names, in the order in which they came; with true a table of values by name, which are secrets. With the policy standard it returns only those of `addCookie`.
---@param values? any
---@return any ...
function Session:cookies(values) end

---Removes all cookies; nothing else does. Returns the session.
---@return any ...
function Session:clearCookies() end

---Closes the session; `session:logout` is the same. The status becomes `"being closed"` and new calls reject. The session runs `closeOperation`, or requests `closePath`, up to `maxCloseAttempts` times; a reply that the session no longer exists counts as success. **Afterwards the session is not ...
---@return datasession.Promise
function Session:closeSession() end

---Loads one catalog, or an array of them in parallel. `uri` is a string or an array of strings, none empty: - The session requests an `http:` or `https:` URI, with its cookies and credentials only if the URI has the origin of `serviceURI`. - It reads the file of a `file:` URI. - Any other string ...
---@param uri any
---@param username? any
---@param password? any
---@param options? datasession.options.session_addCatalog
---@return datasession.Promise
function Session:addCatalog(uri, username, password, options) end

---Returns the id, or nil. If the deadline has passed, the session forgets the id and `expired` fires (S).
---@return any ...
function Session:getSessionID() end

---Runs several calls in one request (POST to `/datasnap/json/`, S): `calls` is a list of tables with `class`, `method` (the full name, prefix included) and `params`, which all go into the body. Resolves with a list, in which each entry is `{ result = list }` or `{ error = text }`. Without a ...
---@param calls any
---@param options datasession.options.session_batch
---@return datasession.Promise
function Session:batch(calls, options) end

---Returns the address that `invoke` would call, and the body or nil. Sends nothing (S).
---@param class any
---@param method any
---@param params any
---@param options datasession.options.session_getMethodURL
---@return any ...
function Session:getMethodURL(class, method, params, options) end

---Returns the address in front of the class: `http://host/datasnap/rest/`; with false `http://host/datasnap/` (S).
---@param includeRest? any
---@return any ...
function Session:getURLPrefix(includeRest) end

---Fetches the item of the suffix: a value, or the bytes of a stream if `accept` says so. For a shorter suffix it fetches a description, without a suffix that of the whole cache. The verb DELETE removes everything, or one `cacheId`, and resolves with true. An unknown item rejects with `"http"`, a ...
---@param suffix? any
---@param options? datasession.options.session_cache
---@return any ...
function Session:cache(suffix, options) end

---Returns the address of the item, for other programs. With true its query has the id, as `sid`, if there is one: **the address is then a secret that gives access to the session**. A slash and `cache/` in front of the suffix are ignored; nil for a list (S).
---@param suffix? any
---@param includeSessionId? any
---@return any ...
function Session:getCacheURL(suffix, includeSessionId) end

---Returns a channel in the state `"closed"`, and sends nothing. Raises for wrong options. Options of `session:channel`, each with its type, default and evidence:
---@param options datasession.options.session_channel
---@return any ...
function Session:channel(options) end

---Switches the storing of a session on or off, as the vendor's function does before the first call (D). The session forgets its id and its deadline, and sends nothing: the server's session ends by its own time limit (S). With true it is stored under the prefix (default `""`) and `dssessionid`, and ...
---@param useSessionCookie? any
---@param sessionCookiePrefix? any
---@param store? table
---@return any ...
function Session:initSessionData(useSessionCookie, sessionCookiePrefix, store) end

---Subscribes the handler and returns the session. `scope`, a table or userdata, becomes the first argument of the handler, as JavaScript's `this`. Event, handler and scope identify a subscription; a second call with the same three moves it to the end. Raises for an unknown event or a wrong type.
---@param event datasession.SessionEvent
---@param handler any
---@param scope? any
---@return any ...
function Session:subscribe(event, handler, scope) end

---Removes the subscription, if it exists, and returns the session. Raises as `subscribe`.
---@param event datasession.SessionEvent
---@param handler any
---@param scope? any
---@return any ...
function Session:unsubscribe(event, handler, scope) end

---Removes all subscriptions of the event, or all of the session, and returns the session. Raises for an unknown event.
---@param event? datasession.SessionEvent
---@return any ...
function Session:unsubscribeAll(event) end

---connects. The arguments take precedence over `connectionData`; a service has credentials of its own
---@param username? any
---@param password? any
---@return any ...
function Session:login(username, password) end

---requests the state of the session
---@return any ...
function Session:ping() end

---requests the state of the session
---@return any ...
function Session:isAuthorized() end

---asks PROIV to end the session: resolves when it has ended (`info.note` is `"lost"` if it was lost), rejects with the kind `"refused"`, `"timeout"` or another when it continues
---@param timeout any
---@return any ...
function Session:stop(timeout) end

---ends the session at once; resolves whatever the response
---@return any ...
function Session:logout() end

---ends the session at once; resolves whatever the response
---@return any ...
function Session:invalidate() end

---Returns a new table of the details that the session connects with. It holds the password until the session runs, for transports; then the password is wiped. Another login of such a session needs the password as an argument, and raises without it.
---@return any ...
function Session:connectionData() end

---Returns the option, or nil.
---@return any ...
function Session:sessionNodeID() end

---As `session:request`, for these functions: it is sent also while the session is being started, stopped or ended, and changes no state. After `endNow` has first waited, no further one is sent.
---@param options any
---@return any ...
function Session:transportRequest(options) end

---Forgets the login without a request to the server, and always resolves. It works for sso. A provider of the options stays logged in.
---@return any ...
function Session:disconnect() end

---Sends a request as the session. Requests to the session's own origin carry its cookies, credentials and context properties; requests to another origin carry none of them. X-CLIENT-CONTEXT-ID goes only to URIs below `serviceURI`, and through no redirect that leaves it. A login is not needed. ...
---@param options datasession.options.session_request
---@return datasession.Promise
function Session:request(options) end

---Replaces the set by a deep copy of the table, without functions. nil clears the set. Names are strings; values have a JSON form.
---@param properties any
---@return any ...
function Session:setContext(properties) end

---Sets one property; a table is copied. nil removes the property. `datasession.null` and `""` are values.
---@param name any
---@param value any
---@return any ...
function Session:setContextProperty(name, value) end

---Returns a deep copy of the set.
---@return any ...
function Session:getContext() end

---Returns the value, or nil; a table is copied.
---@param name any
---@return any ...
function Session:getContextProperty(name) end

---Loads the catalogs of the stored session as `session:addCatalog` does, and returns its promise. A catalog that cannot be loaded stays on the list for the next call. With nothing to load the promise resolves. With `name`, `datasession.getSession` checks the stored login with the server, if it has ...
---@return datasession.Promise
function Session:reloadCatalogs() end

---@class datasession.store
---@field file any give the path of a directory; without an argument `store.file()` uses its default
local store = {}

---returns the text of the key, a string of any bytes; nil when there is none; nil and a message after a failure
---@param key any
---@return any ...
function store:get(key) end

---stores the text; returns nil and a message after a failure
---@param key any
---@param text string
---@return any ...
function store:set(key, text) end

---removes the key, if it exists; returns nil and a message after a failure
---@param key any
---@return any ...
function store:remove(key) end

---Returns a store in memory, for one run of the program.
---@return any ...
function store.memory() end

---@class datasession.Table
---@field name string `""` for a bare record
---@field fields any[]
---@field primaryKey any[]
---@field idProperty string|nil
local Table = {}

---Returns the field of that name. Raises when there is none.
---@param name any
---@return any ...
function Table:field(name) end

return datasession
