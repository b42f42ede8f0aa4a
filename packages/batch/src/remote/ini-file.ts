/** The INI files of the AWS tools: `[section]` lines and `name = value` lines below them. */

export type IniSections = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** The sections of a text by their names; names of values in lower case. What is neither heading nor pair is left out. */
export const parseIni = (text: string): IniSections => {
  const sections = new Map<string, Record<string, string>>();
  let section: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const heading = /^\s*\[\s*(.+?)\s*\]/.exec(line);
    if (heading) {
      // `~/.aws/config` writes [profile name], `~/.aws/credentials` [name].
      const name = heading[1]!.replace(/^profile\s+/, '');
      section = sections.get(name) ?? {};
      sections.set(name, section);
    } else {
      const pair = /^([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line);
      if (pair) section[pair[1]!.toLowerCase()] = pair[2]!;
    }
  }
  return sections;
};
