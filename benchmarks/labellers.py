"""Simulated users who label one card after another."""

from benchmarks.crowd import Person
from benchmarks.label_fifty import CARD, WATCH

_N_PEOPLE = "document.querySelector('.label').mounted.data.identities.length"
# Reports every act when it is put into the outbox, and when the server acknowledges it.
_LISTEN = """() => {
  const label = document.querySelector(".label").mounted;
  if (label.isReported) return;
  label.isReported = true;
  const { outbox } = label;
  const [put, acknowledge] = [outbox.put.bind(outbox), outbox.acknowledge.bind(outbox)];
  const hear = label.hear.bind(label);
  const started = new Map();
  const refusals = new Map();
  outbox.put = (act) => {
    const now = performance.now();
    const token = put(act);
    started.set(token, now);
    window.reportAct({ token, kind: act.kind, images: act.images ?? [] });
    return token;
  };
  outbox.acknowledge = (tokens) => {
    acknowledge(tokens);
    const open = new Set(outbox.commits.map(({ token }) => token));
    for (const [token, at] of [...started].filter(([known]) => !open.has(known))) {
      started.delete(token);
      window.reportAct({ token, seconds: (performance.now() - at) / 1000 });
    }
  };
  label.hear = (heard) => {
    hear(heard);
    for (const { token, text, is_refused: isRefused } of heard) {
      // "Not stored yet": the act will be sent again.
      const refusal = isRefused && !text.startsWith("Not stored yet") ? text : "";
      if ((refusals.get(token) ?? "") === refusal) continue;
      refusals.set(token, refusal);
      window.reportAct({ token, refusal });
    }
  };
}"""


class Labelling(Person):
    """Labels one card after another with random keys, without ground truth."""

    async def arrive(self) -> None:
        await self.page.expose_function(
            "reportAct", lambda report: self.notes.record_act(self.name, report)
        )
        await self.page.add_init_script(WATCH)
        await self.open("Label")
        if not self.has_account:
            await self.page.get_by_role("textbox", name="Your name").fill(self.name)
            await self.page.keyboard.press("Enter")
            await self.page.wait_for_function(
                "name => document.querySelector('.label').mounted.data.name === name", arg=self.name
            )
        await self.page.locator(
            ".label-reason"
        ).click()  # leave the text field, so that the card gets the keys

    async def act(self) -> None:
        await self.page.evaluate(_LISTEN)
        for wait in await self.page.evaluate("window.waits.splice(0)"):
            self.notes.wait("card to next card", wait["drawn"] / 1000)
            if "seen" in wait:
                self.notes.wait("card to its pictures", wait["seen"] / 1000)
        shown = await self.page.evaluate(CARD)
        if shown is None:  # every card is done, or the next one is loading
            return
        if "pair" in shown:
            await self.page.keyboard.press(self.random.choice("yn?"))
            return
        if shown["candidates"] and self.random.random() < 0.5:
            await self.page.keyboard.press("1")
        await self._leave_card(shown["id"])

    async def leave(self) -> None:
        await self.page.wait_for_selector(".label[data-open='0']")

    async def _leave_card(self, card: str) -> None:
        keys = self.random.choices(("Enter", "a", "u", "x", "Space"), (70, 10, 5, 5, 10))[0]
        if keys == "a" and await self.page.evaluate(_N_PEOPLE):
            await self.page.keyboard.press("a")
            await self.page.wait_for_selector(".label-chooser input:focus")
            keys = "Enter"  # the most similar identity
        await self.page.keyboard.press("Enter" if keys == "a" else keys)
        await self.page.wait_for_function(
            "card => document.querySelector('.label').dataset.card !== card", arg=card
        )
