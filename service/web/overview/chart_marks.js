// Marks the values of a chart that stand on a wrong hour: a red diamond on the value, and a line down from it.

import { standsOnWrong } from "../core/proof_verdict.js";
import { colourOf } from "./chart_series.js";

const HALF = 5;

// u: the plot. buckets: of its x values, in their order.
export function drawMarks(u, { buckets, source }) {
  const { ctx, bbox } = u;
  const size = HALF * devicePixelRatio;
  const bottom = bbox.top + bbox.height;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colourOf("--bad");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([]);
  for (const [place, bucket] of buckets.entries()) {
    if (!standsOnWrong(bucket, source)) continue;
    const x = u.valToPos(u.data[0][place], "x", true);
    const y = bucket.value === null ? bottom : u.valToPos(bucket.value, "y", true);
    ctx.beginPath();
    ctx.moveTo(x, bottom);
    ctx.lineTo(x, y);
    ctx.stroke();
    ctx.beginPath();
    for (const [dx, dy] of [[0, -size], [size, 0], [0, size], [-size, 0]]) ctx.lineTo(x + dx, y + dy);
    ctx.closePath();
    ctx.fill();
  }
  ctx.restore();
}
