"use strict";
// Without this script the page can be read and folded; with it, it can also
// be searched, filtered, and turned dark or light.
(() => {
  const all = (selector, under = document) => [...under.querySelectorAll(selector)];
  all(".scripted").forEach((one) => { one.hidden = false; });

  // Theme: what the system says, until the reader says otherwise.
  const themes = ["auto", "light", "dark"];
  const store = {
    get() { try { return localStorage.getItem("theme"); } catch { return null; } },
    set(theme) { try { localStorage.setItem("theme", theme); } catch { /* a file without storage */ } },
  };
  const button = document.getElementById("theme");
  const show = (theme) => {
    document.documentElement.dataset.theme = theme;
    button.textContent = "Theme: " + theme;
  };
  let theme = themes.includes(store.get()) ? store.get() : "auto";
  show(theme);
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    store.set(theme);
    show(theme);
  });

  // Search and filter.
  const search = document.getElementById("search");
  const boxes = all("input[name=verdict]");
  const rows = all(".row").map((row) => ({ row, text: row.textContent.toLowerCase(), verdict: row.dataset.verdict, test: row.matches("li") }));
  const chapters = all(".chapter");
  const asWritten = new Map(chapters.map((chapter) => [chapter, chapter.open]));
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const filtering = words.length > 0 || wanted.size < boxes.length;
    for (const { row, text, verdict } of rows) {
      row.hidden = !wanted.has(verdict) || !words.every((word) => text.includes(word));
    }
    for (const chapter of chapters) {
      const some = all(".row", chapter).some((row) => !row.hidden);
      chapter.hidden = !some;
      chapter.open = filtering ? some : asWritten.get(chapter);
    }
    all(".group").forEach((group) => { group.hidden = filtering && !all(".row", group).some((row) => !row.hidden); });
    const tell = (name, some) => (some.length ? [`${some.filter(({ row }) => !row.hidden).length} of ${some.length} ${name}`] : []);
    document.getElementById("found").textContent = "Shown: " +
      [...tell("checks", rows.filter((one) => !one.test)), ...tell("other tests", rows.filter((one) => one.test))].join(", ");
  };
  search.addEventListener("input", filter);
  boxes.forEach((box) => box.addEventListener("change", filter));
  filter();

  // Copying a command.
  all(".copy").forEach((copy) => copy.addEventListener("click", async () => {
    const label = copy.firstChild;
    try {
      await navigator.clipboard.writeText(copy.previousElementSibling.textContent);
      label.data = "Copied";
    } catch {
      getSelection().selectAllChildren(copy.previousElementSibling);
      label.data = "Selected";
    }
    setTimeout(() => { label.data = "Copy"; }, 2000);
  }));

  // A link to something folded unfolds it.
  const reveal = () => {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { /* as it is */ }
    const target = id && document.getElementById(id);
    if (!target) return;
    for (let one = target; one; one = one.parentElement) if (one.matches("details")) one.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();

  // Paper does not unfold, nor say what a filter hides: all of it is printed, and
  // what did not pass in full. A preview may ask more than once before it is over.
  const unfolded = new Set();
  let filtered = null; // the reader's search and boxes, while all is shown
  addEventListener("beforeprint", () => {
    if (search.value || boxes.some((box) => !box.checked)) {
      filtered = { words: search.value, checked: boxes.map((box) => box.checked) };
      search.value = "";
      boxes.forEach((box) => { box.checked = true; });
      filter();
    }
    for (const one of all(".chapter:not([open]), .finding details:not([open]), details.row:not([open], [data-verdict=pass])")) {
      unfolded.add(one);
      one.open = true;
    }
  });
  addEventListener("afterprint", () => {
    unfolded.forEach((one) => { one.open = false; });
    unfolded.clear();
    if (!filtered) return;
    search.value = filtered.words;
    boxes.forEach((box, i) => { box.checked = filtered.checked[i]; });
    filtered = null;
    filter();
  });
})();
