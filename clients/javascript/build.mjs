// Takes over the ES module and its types, which `make setup` builds from service/web/client/. `npm pack` runs it.
import { copyFileSync, existsSync } from "node:fs";

const WEB = new URL("../../service/web/", import.meta.url);
const built = new URL("vendor/analytics.mjs", WEB);
if (!existsSync(built)) {
  console.error(`${built.pathname} is not built; run make setup in the root of the repository`);
  process.exit(1);
}
copyFileSync(built, new URL("index.mjs", import.meta.url));
copyFileSync(new URL("client/analytics.d.mts", WEB), new URL("index.d.mts", import.meta.url));
