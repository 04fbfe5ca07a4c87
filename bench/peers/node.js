"use strict";
// The benchmark's works with node:http and an agent that keeps connections. Prints what client.lua prints.
// usage: node node.js ping|form|many-form COUNT SERVICE-URI
const http = require("node:http");
const { tell } = require("./tell.js");

const FORM = "j_username=lua&j_password=secret&submit=Submit";
const [work, count, uri] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const agent = new http.Agent({ keepAlive: true, maxSockets: work.startsWith("many") ? 64 : 1 });

function fetch(path, cookie, form) {
  const headers = { Accept: "application/json", "Cache-Control": "no-cache", Pragma: "no-cache" };
  if (cookie) headers.Cookie = cookie;
  if (form) headers["Content-Type"] = "application/x-www-form-urlencoded";
  return new Promise((resolve, reject) => {
    const request = http.request(uri + path, { method: form ? "POST" : "GET", headers, agent });
    request.on("error", reject);
    request.on("response", (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => {
        if (answer.statusCode !== 200) reject(new Error(path));
        resolve({ body: Buffer.concat(parts).toString("utf8"), headers: answer.headers });
      });
    });
    request.end(form);
  });
}

async function ping(cookie) {
  const { body } = await fetch("/rest/_oepingService/_oeping", cookie);
  if (body !== '{"response":{"_retVal":""}}') throw new Error("not a pong");
}

async function logIn() {
  const { headers } = await fetch("/static/auth/j_spring_security_check", undefined, FORM);
  const cookie = headers["set-cookie"][0].split(";")[0];
  await fetch("/static/home.html", cookie);
  return cookie;
}

async function loadCatalog(cookie) {
  const { body } = await fetch("/static/catalog.json", cookie);
  if (JSON.parse(body).services.length !== 1) throw new Error("not the catalog's service");
}

const logOut = (cookie) => fetch("/static/auth/j_spring_security_logout", cookie);

async function form() {
  const cookie = await logIn();
  await loadCatalog(cookie);
  await ping(cookie);
  await logOut(cookie);
}

async function many(sessions) {
  const cookies = await Promise.all(Array.from({ length: sessions }, logIn));
  await Promise.all(cookies.map(loadCatalog));
  for (let i = 0; i < 10; i++) await Promise.all(cookies.map(ping));
  await Promise.all(cookies.map(logOut));
}

async function main() {
  if (work === "many-form") {
    await many(64);
    await tell(count, () => many(count));
  } else {
    const unit = { ping, form }[work];
    if (work === "ping") await fetch("/static/home.html");
    await unit();
    await tell(count, async () => { for (let i = 0; i < count; i++) await unit(); });
  }
  agent.destroy();
}

main();
