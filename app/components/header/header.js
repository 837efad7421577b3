// The line over every page asks by itself how things stand. The page is drawn anew only where
// something moved that it cannot know of.
const PERIOD_MS = 1000;
const PATIENCE_MS = 20_000; // then the page is asked for again
const LEAVING_MS = 3000; // as long as another page may be on its way
const REACHES = ["pointerdown", "focusin"]; // before a link can be followed, by mouse or by keys
const PAGE_LINKS = "[data-testid=stSidebarNav], [data-testid=stPageLink]";

function nameWorkspace(link) {
  const name = new URLSearchParams(location.search).get("w");
  if (!name || !link?.closest(PAGE_LINKS) || link.origin !== location.origin) return;
  const address = new URL(link.href);
  address.searchParams.set("w", name);
  if (link.href !== address.href) link.href = address.href;
}

const isPlain = (event) => !(event.ctrlKey || event.metaKey || event.shiftKey || event.button);

/** Go to a page as the sidebar does, without loading all anew. */
function followInPlace(link, event) {
  /** @type {HTMLAnchorElement[]} */
  const links = [...document.querySelectorAll("[data-testid=stSidebarNav] a[href]")].map(
    (each) => /** @type {any} */ (each),
  );
  const place = (each) => each.pathname.replace(/\/$/, "");
  const twin = links.find((other) => place(other) === place(link));
  if (!twin) return;
  event.preventDefault();
  twin.click();
}

/** Streamlit's link over the page leads to this line; who follows it wants what is below. */
function skipToContent(event) {
  /** @type {HTMLElement | null} */
  const content = document.querySelector(".st-key-content");
  if (!content || !event.target.closest?.("[data-testid=stSkipToContent]")) return;
  event.preventDefault();
  event.stopPropagation();
  content.tabIndex = -1;
  content.focus({ preventScroll: true });
}

/** What is next leads to its page; on that page there is nothing to follow. */
function sayWhere(next, isHere) {
  next.classList.toggle("here", isHere);
  next.tabIndex = isHere ? -1 : 0;
  next.textContent = next.textContent.replace(/[→↓]/, isHere ? "↓" : "→");
  next.title = isHere ? "On this page" : "";
}

class Line {
  constructor(root) {
    this.root = root;
    this.shown = "";
    this.leftAt = -Infinity;
    this.timer = setInterval(() => this.ask(), PERIOD_MS);
    this.onClick = (event) => {
      skipToContent(event);
      const link = event.target.closest?.("a");
      if (!link) return;
      this.leftAt = performance.now();
      if (link.dataset.page && isPlain(event)) followInPlace(link, event);
    };
    document.addEventListener("click", this.onClick, true);
    // A page opened in another tab must show the same workspace: its link names it too.
    this.onReach = (event) => nameWorkspace(event.target.closest?.("a[href]"));
    for (const kind of REACHES) document.addEventListener(kind, this.onReach, true);
  }

  dispose() {
    clearInterval(this.timer);
    document.removeEventListener("click", this.onClick, true);
    for (const kind of REACHES) document.removeEventListener(kind, this.onReach, true);
  }

  update(data, setTriggerValue) {
    this.data = data;
    this.tell = (moved) => setTriggerValue("moved", moved);
    this.told = null; // the page has been drawn anew
    this.leftAt = -Infinity;
    this.show(data.html);
    this.nameThePage();
  }

  show(html) {
    if (html === this.shown) return;
    this.shown = html;
    /** @type {HTMLElement | null | undefined} */
    const step = document.activeElement?.closest?.(".pul-line a"); // who is on a step
    const at = step && (step.matches(".pul-next") ? ".pul-next" : `ol a[data-page="${step.dataset.page}"]`);
    this.root.innerHTML = html;
    if (at) this.root.querySelector(at)?.focus();
    this.nameThePage();
  }

  nameThePage() {
    const title = this.root.querySelector("h1");
    if (title) title.textContent = this.data.title;
    for (const link of this.root.querySelectorAll("li a")) {
      if (link.dataset.page === this.data.page) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    }
    const next = this.root.querySelector(".pul-next");
    if (next) sayWhere(next, next.dataset.page === this.data.page);
  }

  async ask() {
    if (this.isAsking || document.hidden || !this.data?.url) return;
    this.isAsking = true;
    const { data } = this;
    try {
      const answer = await fetch(data.url, { cache: "no-cache" }); // with its ETag
      if (data !== this.data) return; // the page was drawn anew meanwhile
      if (!answer.ok) return this.drawAnew(`refused ${answer.status}`);
      const { html, moved, url } = await answer.json();
      data.url = url; // the old one is good for some hours only
      this.show(html);
      if (moved !== data.moved) this.drawAnew(moved);
    } catch {
      // The server is gone: Streamlit says so, and connects again.
    } finally {
      this.isAsking = false;
    }
  }

  drawAnew(moved) {
    const now = performance.now();
    if (now - this.leftAt < LEAVING_MS) return; // asking for this page now would call off the other one
    if (this.told?.moved === moved && now - this.told.at < PATIENCE_MS) return;
    this.told = { moved, at: now };
    this.tell(moved);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pul-line");
  root.line ??= new Line(root);
  root.line.update({ ...data }, setTriggerValue);
  return () => {
    root.line?.dispose();
    delete root.line;
  };
}
