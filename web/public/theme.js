// Runs before the first paint, so that a chosen theme never flashes in the other one.
try {
  var theme = localStorage.getItem("famulus.theme");
  if (theme === '"light"' || theme === '"dark"') document.documentElement.dataset.theme = JSON.parse(theme);
} catch (error) {
  // Storage may be blocked: the system's theme is used.
}
