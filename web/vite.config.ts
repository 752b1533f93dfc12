/// <reference types="vitest/config" />
// The build lands inside the Python package, which serves it as plain files under a strict CSP:
// no inline script, no inlined asset, nothing from another host.
import preact from "@preact/preset-vite";
import { defineConfig } from "vite";

const server = process.env.FAMULUS_URL ?? "http://localhost:8000";

export default defineConfig({
  plugins: [preact()],
  build: {
    outDir: "../src/famulus/web",
    emptyOutDir: true,
    target: ["chrome123", "firefox128", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": server } },
  test: { environment: "jsdom", include: ["tests/**/*.test.ts"] },
});
