// check.js SITE TREE: opens the site in the folder SITE, from a server and as files, and the page TREE that
// `datasession tree --html` wrote, in Chromium.
const assert = require("assert/strict");
const path = require("path");
const { pathToFileURL } = require("url");
const { openPage, withBrowser, withServer } = require("./browser");

const SECTIONS = [
  "Tutorial", "Questions and answers", "Reference", "Explanation", "Troubleshooting", "Glossary",
];

const [site, tree] = process.argv.slice(2).map((name) => path.resolve(name));

// The checks of a site at the address `base`.
const siteChecks = (base) => ({
  "the first page has its title and its navigation": async (page) => {
    await page.goto(`${base}/index.html`);
    assert.match(await page.title(), /datasession/);
    const text = await page.$eval(".md-nav--primary", (one) => one.textContent);
    for (const section of SECTIONS) assert.ok(text.includes(section), section);
  },
  "a search finds a term, and its result opens": async (page) => {
    await page.goto(`${base}/index.html`);
    await page.click("label.md-header__button[for=__search]").catch(() => page.click(".md-search__input"));
    await page.type(".md-search__input", "reconnect");
    const link = await page.waitForSelector(".md-search-result__item a", { visible: true });
    const address = await link.evaluate((one) => one.href);
    assert.ok(address.startsWith(base), address);
    await Promise.all([
      page.waitForFunction((before) => location.href !== before && document.readyState === "complete", {},
        `${base}/index.html`),
      link.evaluate((one) => one.click()),
    ]);
    const words = await page.$eval("article", (one) => one.textContent);
    assert.match(words, /reconnect/i);
  },
  "pictures and the other pages are there": async (page) => {
    for (const name of ["explanation", "command", "messages", "tutorial/script", "glossary"]) {
      const response = await page.goto(`${base}/${name}.html`);
      assert.ok(response.ok() || base.startsWith("file:"), name);
      const broken = await page.$$eval("img", (all) =>
        all.filter((one) => !one.complete || !one.naturalWidth).map((one) => one.src));
      assert.deepEqual(broken, [], name);
    }
  },
});

const treeChecks = {
  "the search field of a catalog's page filters": async (page) => {
    await page.goto(pathToFileURL(tree).href);
    const shown = () => page.$$eval("details:not([hidden])", (all) => all.map((one) => one.dataset.name));
    const rows = () => page.$$eval("details:not([hidden]) tr[data-name]:not([hidden])", (all) =>
      all.map((one) => one.dataset.name));
    const search = async (word) => {
      await page.$eval("#search", (one) => { one.value = ""; });
      await page.type("#search", word);
    };
    assert.deepEqual(await shown(), ["customer"]);
    const all = (await rows()).length;
    await search("raisecredit");
    assert.deepEqual(await rows(), ["invoke raisecreditlimit"]);
    await search("CUSTOMER");
    assert.equal((await rows()).length, all);
    assert.equal(await page.$eval("#none", (one) => one.hidden), true);
    await search("nothing has this name");
    assert.deepEqual(await shown(), []);
    assert.equal(await page.$eval("#none", (one) => one.hidden), false);
  },
};

let passed = 0, failed = 0;

async function run(browser, where, inside, checks) {
  for (const [name, check] of Object.entries(checks)) {
    const { page, faults } = await openPage(browser, inside);
    try {
      await check(page);
      assert.deepEqual(faults, []);
      passed++;
    } catch (error) {
      failed++;
      console.log(`FAILED (${where}): ${name}\n${error.stack}`);
    }
    await page.close();
  }
}

withBrowser(async (browser) => {
  await withServer(site, (origin) => run(browser, "served", origin, siteChecks(origin)));
  const files = pathToFileURL(site).href;
  await run(browser, "files", files, siteChecks(files));
  await run(browser, "tree --html", pathToFileURL(tree).href, treeChecks);
}).then(() => {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
});
