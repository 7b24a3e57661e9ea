() => {
  /* Gradio calls its examples a list without items, which a screen reader takes for an empty one. */
  const mendRoles = () =>
    document.querySelectorAll(".examples[role=list]").forEach((each) => each.setAttribute("role", "group"));

  /* A message is HTML. What is copied and edited is the text that its reader sees in it: without the cards
     of its marks, its pictures, and the line that says how it ended. */
  const seen = (message) => {
    const page = new DOMParser().parseFromString(message, "text/html");
    page.querySelectorAll(".card, .shown, .similar, .status").forEach((each) => each.remove());
    page.querySelectorAll("br").forEach((each) => each.replaceWith("\n"));
    return page.body.textContent;
  };
  const mendEditors = () =>
    document.querySelectorAll("#chat .message textarea:not(.mended)").forEach((editor) => {
      editor.classList.add("mended");
      editor.value = seen(editor.value);
      editor.dispatchEvent(new Event("input", { bubbles: true }));
    });
  if (navigator.clipboard) {
    const write = navigator.clipboard.writeText.bind(navigator.clipboard);
    navigator.clipboard.writeText = (message) => write(seen(message));
  }
  /* Over plain http a browser has no clipboard for scripts: Gradio then copies out of a text area aside. */
  document.addEventListener("copy", (event) => {
    if (event.target instanceof HTMLTextAreaElement && event.target.style.left === "-999999px") {
      event.clipboardData.setData("text/plain", seen(event.target.value));
      event.preventDefault();
    }
  });

  /* A picture of an answer opens large above the page; Escape or a click closes it. */
  const large = document.createElement("dialog");
  large.id = "large";
  large.append(document.createElement("img"));
  large.addEventListener("click", () => large.close());
  document.querySelector(".gradio-container").append(large);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#chat a.picture");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const small = link.querySelector("img");
    large.setAttribute("aria-label", small.alt);
    large.firstChild.src = link.href;
    large.firstChild.alt = small.alt;
    large.showModal();
  });

  new MutationObserver(() => {
    mendRoles();
    mendEditors();
  }).observe(document.body, { childList: true, subtree: true });
  mendRoles();
}
