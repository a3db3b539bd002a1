/** More than all places and time zones of a busy day need; then they are made anew. */
const most = 500;

const made = new Map<string, Intl.DateTimeFormat>();

/** A formatter of dates, made once: to make one takes a hundred times as long as to write a date with it. */
export function dateFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  const known = made.get(key);
  if (known) return known;
  if (made.size >= most) made.clear();
  const format = new Intl.DateTimeFormat(locale, options);
  made.set(key, format);
  return format;
}
