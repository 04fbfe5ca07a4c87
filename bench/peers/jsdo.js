"use strict";
// The benchmark's works with Progress's own client, see progress.js. Prints what client.lua prints.
// usage: node jsdo.js ping|form COUNT SERVICE-URI LIBRARY
const { load, forget, end } = require("./progress.js");
const { tell } = require("./tell.js");

const [work, count, uri, library] =
  [process.argv[2], Number(process.argv[3]), process.argv[4], process.argv[5]];
const progress = load(uri, library);

async function logIn(model) {
  const session = new progress.data.JSDOSession({ serviceURI: uri, authenticationModel: model });
  const { result } = await session.login("lua", "secret");
  if (result !== progress.data.Session.SUCCESS) throw new Error("not logged in");
  return session;
}

async function ping(session) {
  const { result } = await session.ping();
  if (result !== true) throw new Error("not a pong");
}

async function form() {
  forget();
  const session = await logIn("form");
  await session.addCatalog(`${uri}/static/catalog.json`);
  if (session.services.length !== 1) throw new Error("not the catalog's service");
  await ping(session);
  await session.invalidate(); // logs out first; without it the next session's catalog would be an error
}

async function main() {
  const session = work === "ping" ? await logIn("anonymous") : undefined;
  const unit = work === "ping" ? () => ping(session) : form;
  await unit();
  await tell(count, async () => { for (let i = 0; i < count; i++) await unit(); });
  end();
}

main();
