"use strict";
// Does the work of a browser below XMLHttpRequest: keeps cookies, follows redirects, tells an answer from
// none.
const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");

const REDIRECTS = 20;

class Jar {
  constructor() {
    this.cookies = [];
  }

  // `lines`: the values of Set-Cookie. Cookies know hosts and paths, not ports.
  take(url, lines) {
    for (const line of lines) {
      const [pair, ...attributes] = line.split(";");
      const at = pair.indexOf("=");
      if (at < 0) continue;
      const cookie = { name: pair.slice(0, at).trim(), value: pair.slice(at + 1).trim(), host: url.hostname };
      cookie.path = url.pathname.slice(0, url.pathname.lastIndexOf("/")) || "/";
      for (const attribute of attributes) {
        const [name, value = ""] = attribute.split("=").map((part) => part.trim());
        if (name.toLowerCase() === "path" && value.startsWith("/")) cookie.path = value;
        if (name.toLowerCase() === "max-age") cookie.ended = Number(value) <= 0;
      }
      this.cookies = this.cookies.filter((other) =>
        other.name !== cookie.name || other.host !== cookie.host || other.path !== cookie.path);
      if (!cookie.ended) this.cookies.push(cookie);
    }
  }

  header(url) {
    const path = url.pathname;
    return this.cookies
      .filter((cookie) => cookie.host === url.hostname && (path === cookie.path ||
        path.startsWith(cookie.path.endsWith("/") ? cookie.path : cookie.path + "/")))
      .map((cookie) => `${cookie.name}=${cookie.value}`)
      .join("; ");
  }
}

// One request without redirects; `live` holds what is under way, so that a closed page can end it.
function hop(request, live) {
  return new Promise((resolve) => {
    const url = new URL(request.url);
    const fail = (error) => resolve({ status: 0, error: String(error && error.code || error) });
    const client = url.protocol === "https:" ? https : http;
    let sent;
    const headers = { ...request.headers };
    if (request.body !== undefined) headers["Content-Length"] = Buffer.byteLength(request.body);
    try {
      sent = client.request(url, { method: request.method, headers, agent: false });
    } catch (error) {
      fail(error);
      return;
    }
    live.add(sent);
    sent.on("close", () => live.delete(sent));
    sent.on("error", fail);
    sent.on("response", (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("error", fail);
      answer.on("close", () => {
        if (!answer.complete) return fail("cut short");
        return resolve({
          status: answer.statusCode, statusText: answer.statusMessage, headers: answer.rawHeaders,
          cookies: answer.headers["set-cookie"] || [], location: answer.headers.location,
          body: Buffer.concat(parts).toString("utf8"), url: url.href,
        });
      });
    });
    sent.end(request.body === undefined ? undefined : Buffer.from(request.body, "utf8"));
  });
}

// As a page from file: may, and an application in a web view does: status 0 and the text.
function readFile(url) {
  try {
    return { status: 0, statusText: "", headers: [], body: fs.readFileSync(url, "utf8"), url: url.href };
  } catch (error) {
    return { status: 0, error: String(error.code) };
  }
}

function withCookies(request, url, jar, page) {
  const headers = { Accept: "*/*", ...request.headers };
  const sends = request.withCredentials || url.origin === page.origin;
  const cookies = sends ? jar.header(url) : "";
  if (cookies) headers.Cookie = cookies;
  return { headers, sends };
}

// `request`: { method, url (absolute), headers, body, withCredentials }. The answer, or { status: 0, error }.
async function exchange(request, jar, page, live) {
  let { method, body } = request;
  let url = new URL(request.url);
  const own = { ...request.headers };
  if (url.protocol === "file:") return readFile(url);
  for (let n = 0; n <= REDIRECTS; n++) {
    const { headers, sends } = withCookies({ ...request, headers: own }, url, jar, page);
    const answer = await hop({ method, url: url.href, headers, body }, live);
    if (sends && answer.cookies) jar.take(url, answer.cookies);
    if (answer.location === undefined || ![301, 302, 303, 307, 308].includes(answer.status)) return answer;
    const next = new URL(answer.location, url);
    if (answer.status === 303 || (answer.status < 303 && method === "POST")) {
      method = "GET";
      body = undefined;
      for (const name of Object.keys(own)) if (/^content-/i.test(name)) delete own[name];
    }
    if (next.origin !== url.origin) {
      for (const name of Object.keys(own)) if (/^authorization$/i.test(name)) delete own[name];
    }
    url = next;
  }
  return { status: 0, error: "too many redirects" };
}

module.exports = { Jar, exchange };
