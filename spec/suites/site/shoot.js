// shoot.js SITE TREE DIRECTORY: pictures of the site's first page and of a page of `datasession tree --html`.
const path = require("path");
const { pathToFileURL } = require("url");
const { withBrowser } = require("./browser");

const [site, tree, directory] = process.argv.slice(2).map((name) => path.resolve(name));

withBrowser(async (browser) => {
  const page = await browser.newPage();
  await page.setViewport({ width: 1300, height: 800 });
  await page.goto(pathToFileURL(path.join(site, "index.html")).href, { waitUntil: "networkidle0" });
  await page.screenshot({ path: path.join(directory, "site.png") });
  await page.setViewport({ width: 900, height: 560 });
  await page.goto(pathToFileURL(tree).href);
  await page.type("#search", "credit");
  await page.screenshot({ path: path.join(directory, "tree.png") });
});
