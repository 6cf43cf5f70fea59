// What the demo prints: headings, command lines and what the commands say.

/** Columns of the screen that nothing but what a command prints itself exceeds. */
const WIDTH = 120;

const COLOUR = process.stdout.isTTY === true && !process.env.NO_COLOR;

function styled(code: number, text: string): string {
  return COLOUR ? `\x1b[${code}m${text}\x1b[0m` : text;
}

export const bold = (text: string): string => styled(1, text);
export const dim = (text: string): string => styled(2, text);
export const red = (text: string): string => styled(31, text);
export const green = (text: string): string => styled(32, text);
const cyan = (text: string): string => styled(36, text);

let steps = 0;

/** Begins a step: its name, and what it does and why. */
export function heading(name: string, why: string): void {
  steps++;
  say("", bold(`${steps}. ${name}`));
  paragraph(why);
}

/** A text, broken into lines that fit the screen. */
export function paragraph(text: string): void {
  say(...wrapped(text));
}

/** Lines, as they are. */
export function say(...lines: string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

/** A command line as it would be typed. */
export function command(line: string): void {
  say("", cyan(`$ ${line}`));
}

/** What a command said, without the empty line at its end. */
export function output(text: string): void {
  if (text !== "") say(text.replace(/\n$/, ""));
}

/** The words in lines of at most WIDTH columns. */
function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
