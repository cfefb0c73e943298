// What report.html does in a browser. Run by test.sh.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

const { BROWSER, WORK } = process.env;
const require = createRequire(join(WORK, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

let browser;
before(async () => { browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox"] }); });
after(async () => { await browser?.close(); });

const address = (name, fragment = "") => pathToFileURL(join(WORK, name, "report.html")).href + fragment;

// open gives a page and what went wrong on it.
async function open(name, { width = 1280, colorScheme = "light", javaScriptEnabled = true, fragment } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, javaScriptEnabled });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) wrong.push(message.text()); });
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("request", (request) => { if (!request.url().startsWith(address(name))) wrong.push("asks for " + request.url()); });
  await page.goto(address(name, fragment));
  return { page, wrong, close: () => context.close() };
}

const visibleRows = (page) => page.$$eval(".row:not([hidden])", (rows) => rows.map((row) => row.dataset.verdict));

for (const name of ["pair", "hostile", "cut-off", "good"]) {
  for (const width of [360, 1280]) {
    for (const colorScheme of ["light", "dark"]) {
      test(`${name} is well at ${width} px, ${colorScheme}`, async () => {
        const { page, wrong, close } = await open(name, { width, colorScheme });
        assert.ok((await page.textContent("h1")).trim(), "there is an answer");
        const edges = async () => page.evaluate(() => [...document.querySelectorAll("main *")]
          .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map((one) => one.outerHTML.slice(0, 120)));
        for (const folded of [true, false]) {
          await page.evaluate((open) => document.querySelectorAll("details").forEach((one) => { one.open = open; }), !folded);
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          assert.ok(overflow <= 0, `nothing is wider than the screen, this by ${overflow} px, folded: ${folded}: ${await edges()}`);
        }
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run());
        const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
        assert.deepEqual(serious.map(({ id, nodes }) => `${id}: ${nodes.length} × ${nodes[0].html.slice(0, 160)}`), []);
        assert.deepEqual(wrong, []);
        await close();
      });
    }
  }
}

test("the filter shows the chosen verdicts, and unfolds where they are", async () => {
  const { page, close } = await open("pair");
  const all = (await visibleRows(page)).length;
  for (const box of await page.$$("input[name=verdict]:not([value=fail])")) await box.uncheck();
  const shown = await visibleRows(page);
  assert.ok(shown.length > 0 && shown.length < all);
  assert.deepEqual([...new Set(shown)], ["fail"]);
  assert.match(await page.textContent("#found"), /^Shown: 1 of 42 checks, 1 of 4 other tests$/);
  assert.equal(await page.isVisible(".row[data-verdict=fail]"), true, "its chapter is open");
  for (const box of await page.$$("input[name=verdict]:not([value=fail])")) await box.check();
  assert.equal((await visibleRows(page)).length, all);
  await close();
});

test("the search finds ids and words, and every word must be there", async () => {
  const { page, close } = await open("pair");
  const find = async (text) => { await page.fill("#search", text); return page.$$eval(".row:not([hidden]) > summary code", (found) => found.map((one) => one.textContent)); };
  assert.deepEqual([...new Set(await find("slot/keeps"))], ["slot/keeps-wal"]);
  assert.deepEqual([...new Set(await find("NEW timeline"))], ["failover/timeline"]);
  assert.deepEqual(await find("timeline nothing-of-the-kind"), []);
  assert.match(await page.textContent("#found"), /0 of 42 checks/);
  assert.ok((await find("")).length > 40);
  await close();
});

test("the theme follows the system until the reader chooses, and the choice stays", async () => {
  const { page, close } = await open("pair", { colorScheme: "dark" });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.click("#theme");
  assert.match(await page.textContent("#theme"), /light/);
  const light = await background();
  assert.notEqual(light, dark);
  await page.reload();
  assert.equal(await background(), light);
  await page.click("#theme");
  assert.equal(await background(), dark);
  await close();
});

test("the keyboard reaches what matters", async () => {
  const { page, close } = await open("pair");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "jump");
  await page.keyboard.press("Enter");
  assert.equal(new URL(page.url()).hash, "#wrong");
  await page.focus(".chapter:not([open]) > summary");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.parentElement.open), true, "Enter unfolds");
  await page.focus("input[name=verdict][value=pass]");
  await page.keyboard.press("Space");
  assert.equal((await visibleRows(page)).includes("pass"), false, "Space filters");
  await close();
});

test("a link to a folded check unfolds it", async () => {
  const { page, close } = await open("pair", { fragment: "#hardened-slot-keeps-wal-row" });
  assert.equal(await page.isVisible("#hardened-slot-keeps-wal-row dl"), true);
  await close();
});

test("every link leads somewhere", async () => {
  const { page, close } = await open("pair");
  const lost = await page.$$eval("a[href^='#']", (links) => links.map((link) => link.getAttribute("href")).filter((href) => !document.getElementById(href.slice(1))));
  assert.deepEqual(lost, []);
  const ids = await page.$$eval("[id]", (all) => all.map((one) => one.id));
  assert.equal(new Set(ids).size, ids.length, "ids stand once");
  await close();
});

test("without scripts everything can be read, and nothing useless is shown", async () => {
  const { page, close } = await open("pair", { javaScriptEnabled: false });
  assert.equal(await page.isVisible("h1"), true);
  assert.equal(await page.isVisible("#search"), false);
  assert.equal(await page.isVisible("#theme"), false);
  await page.click(".chapter:not([open]) > summary");
  await close();
});

test("on paper everything is unfolded, light, and without controls", async () => {
  const { page, close } = await open("pair", { colorScheme: "dark" });
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  assert.equal(await page.$(".chapter:not([open])"), null);
  assert.equal(await page.$("details.row:not([open], [data-verdict=pass])"), null, "what did not pass is in full");
  assert.equal(await page.isVisible(".filter"), false);
  assert.equal(await page.isVisible(".bar"), false);
  const ink = await page.evaluate(() => getComputedStyle(document.body).color.match(/\d+/g).map(Number));
  assert.ok(Math.max(...ink) < 80, "dark ink: " + ink);
  assert.ok((await page.pdf()).length > 10000);
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  assert.notEqual(await page.$(".chapter:not([open])"), null);
  await close();
});

test("on paper no filter hides anything, and it comes back", async () => {
  const { page, close } = await open("pair");
  const all = (await visibleRows(page)).length;
  await page.fill("#search", "slot");
  await page.uncheck("input[value=pass]");
  const chosen = (await visibleRows(page)).length;
  assert.ok(chosen < all);
  for (let i = 0; i < 2; i++) await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  assert.equal((await visibleRows(page)).length, all);
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  assert.equal((await visibleRows(page)).length, chosen);
  assert.equal(await page.inputValue("#search"), "slot");
  assert.equal(await page.isChecked("input[value=pass]"), false);
  await close();
});

test("on a narrow screen the bar covers no heading that a link leads to", async () => {
  const { page, close } = await open("pair", { width: 360, fragment: "#measured" });
  const [bar, heading] = await page.evaluate(() => [".bar", "#measured"].map((one) => document.querySelector(one).getBoundingClientRect()));
  assert.ok(heading.top >= bar.bottom, `the bar ends at ${bar.bottom}, the heading begins at ${heading.top}`);
  await close();
});

test("hostile text stays text", async () => {
  const { page, wrong, close } = await open("hostile");
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => window.evil), undefined);
  assert.equal(await page.$("img, iframe, object, embed, base, form"), null);
  assert.equal((await page.$$("script")).length, 1);
  const handlers = await page.$$eval("*", (all) => all.flatMap((one) => one.getAttributeNames().filter((name) => name.startsWith("on"))));
  assert.deepEqual(handlers, []);
  assert.ok((await page.textContent("main")).includes("<script>window.evil=1</script>"), "it is shown");
  assert.deepEqual(wrong, []);
  await close();
});
