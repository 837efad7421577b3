// A ranked list: a press on a picture picks it, a second one lets it go.
export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".pul-ranked");
  root.setAttribute("aria-label", data.name);
  if (root.drawn !== data.html) {
    root.drawn = data.html;
    root.innerHTML = data.html;
  }
  const mark = (picked) => {
    for (const button of root.querySelectorAll("button"))
      button.setAttribute("aria-pressed", String(Number(button.dataset.image) === picked));
  };
  mark(data.picked);
  root.onclick = ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    const picked = button.getAttribute("aria-pressed") === "true" ? null : Number(button.dataset.image);
    mark(picked);
    setStateValue("picked", picked);
  };
}
