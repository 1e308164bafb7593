// Ranges of the calendar, in the browser's time zone. Those that are not over end with the current hour.

export const CALENDARS = new Map([
  ["today", "Today"], ["yesterday", "Yesterday"], ["this_week", "This week"], ["last_week", "Last week"],
  ["this_month", "This month"], ["last_month", "Last month"], ["this_year", "This year"], ["last_12_months", "Last 12 months"],
]);
const HOUR = 3_600_000;
const MONDAY = 1;

// The first day of the week where the reader lives; 0 is Sunday.
function weekStart() {
  const locale = new Intl.Locale(Intl.DateTimeFormat().resolvedOptions().locale);
  const { firstDay = MONDAY } = locale.getWeekInfo?.() ?? locale.weekInfo ?? {};
  return firstDay % 7;
}

// Local midnights: JavaScript carries days and months that are too many or too few.
const day = (date, by = 0) => new Date(date.getFullYear(), date.getMonth(), date.getDate() + by).getTime();
const month = (date, by = 0) => new Date(date.getFullYear(), date.getMonth() + by).getTime();
const year = (date) => new Date(date.getFullYear(), 0).getTime();
const week = (date, by = 0) => day(date, -((date.getDay() - weekStart() + 7) % 7) + 7 * by);

// [start, end) of a range of CALENDARS, in milliseconds. now: the present time in milliseconds.
export function calendarBounds(name, now) {
  const date = new Date(now);
  const end = (Math.floor(now / HOUR) + 1) * HOUR;
  const bounds = {
    today: [day(date), end],
    yesterday: [day(date, -1), day(date)],
    this_week: [week(date), end],
    last_week: [week(date, -1), week(date)],
    this_month: [month(date), end],
    last_month: [month(date, -1), month(date)],
    this_year: [year(date), end],
    last_12_months: [month(date, -11), end],
  };
  return bounds[name];
}
