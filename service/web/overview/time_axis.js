// The labels of the chart's time axis, in the language of the browser.

import { axisDayText, axisHourText, axisMinuteText } from "../core/format.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

// As uPlot asks for them. splits: times in seconds. step: the seconds between them.
export function timeTexts(plot, splits, axis, space, step) {
  if (step >= DAY) return splits.map((time) => axisDayText(dateOf(time)));
  const timeText = splits.some((time) => dateOf(time).getMinutes()) ? axisMinuteText : axisHourText;
  return splits.map((time, place) => {
    const date = dateOf(time);
    const isNewDay = place === 0 || date.toDateString() !== dateOf(splits[place - 1]).toDateString();
    return isNewDay ? `${timeText(date)}\n${axisDayText(date)}` : timeText(date);
  });
}

const dateOf = (time) => new Date(time * 1000);
