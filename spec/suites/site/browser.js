// browser.js: Chromium without a window, and a server for the site's files.
const fs = require("fs");
const http = require("http");
const os = require("os");
const path = require("path");
const puppeteer = require("puppeteer-core");

const LIMIT = 30000; // milliseconds for each thing that is waited for

const TYPES = {
  ".css": "text/css", ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".svg": "image/svg+xml",
  ".json": "application/json", ".png": "image/png",
};

// Calls use(browser). The browser's files lie in a folder of their own, which goes with it.
async function withBrowser(use) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "datasession-browser-"));
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"],
    env: { ...process.env, HOME: home },
    timeout: 2 * LIMIT,
    userDataDir: path.join(home, "profile"),
  });
  try {
    return await use(browser);
  } finally {
    await browser.close();
    fs.rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

// Calls use(origin), where a server has the files of the directory.
async function withServer(directory, use) {
  const server = http.createServer((request, response) => {
    const name = decodeURIComponent(new URL(request.url, "http://host").pathname);
    fs.readFile(path.join(directory, path.normalize(name)), (failure, bytes) => {
      response.writeHead(failure ? 404 : 200, { "Content-Type": TYPES[path.extname(name)] || "text/plain" });
      response.end(failure ? "" : bytes);
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  try {
    return await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

// A page of the browser, and what goes wrong in it: { page, faults }.
async function openPage(browser, inside) {
  const page = await browser.newPage();
  const faults = [];
  page.setDefaultTimeout(LIMIT);
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(inside) && !/^(data|blob):/.test(url)) {
      faults.push(`a request leaves the site: ${url}`);
    }
  });
  return { page, faults };
}

module.exports = { openPage, withBrowser, withServer };
