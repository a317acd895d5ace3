// The one option: whether pages are read as they load. The browser's permission is its only memory.
const origins = chrome.runtime.getManifest().optional_host_permissions;
const box = document.getElementById("early");
const told = document.getElementById("told");

const show = async () => (box.checked = await chrome.permissions.contains({ origins }));

box.addEventListener("change", async () => {
  const given = await (box.checked ? chrome.permissions.request({ origins }) : chrome.permissions.remove({ origins })).catch(() => false);
  if (!given) told.textContent = box.checked ? "The browser did not allow it." : "The browser keeps it allowed.";
  else told.textContent = box.checked ? "Pages that load from now on are read." : "";
  await show();
});

await show();
