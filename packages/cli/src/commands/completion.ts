import { TollamaError } from '@tollama/core/errors';
import { Command } from 'commander';
import { withExamples } from './options.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly string[];
  /** Sub-commands. */
  readonly commands: readonly string[];
}

/** Commands whose argument is an installed model: those are completed by asking the daemon. */
const TAKES_MODEL = new Set([
  'run',
  'forecast',
  'show',
  'rm',
  'stop',
  'cp',
  'verify',
  'compare',
  'backtest',
]);

const wordsOf = (program: Command): CommandWords[] =>
  program.commands.flatMap((command) =>
    [command.name(), ...command.aliases()].map((name) => ({
      name,
      description: command.description(),
      options: command.options.map(({ long }) => long).filter((long) => long !== undefined),
      commands: command.commands.map((inner) => inner.name()),
    })),
  );

const MODELS =
  'tollama list --json --timeout 1 2>/dev/null | sed -n \'s/.*"name": "\\([^"]*\\)".*/\\1/p\'';

const bash = (words: readonly CommandWords[]): string => {
  const cases = words.map(({ name, options, commands }) => {
    const models = TAKES_MODEL.has(name) ? ` $(${MODELS})` : '';
    return `    ${name}) words="${[...commands, ...options].join(' ')}${models}" ;;`;
  });
  return `_tollama() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words="${words.map(({ name }) => name).join(' ')}" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${words.map(({ name }) => name).join(' ')}"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ \${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _tollama tollama
`;
};

const fish = (words: readonly CommandWords[]): string => {
  const quote = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;
  const lines = words.flatMap(({ name, description, options, commands }) => [
    `complete -c tollama -n __fish_use_subcommand -a ${name} -d ${quote(description)}`,
    ...options.map(
      (option) =>
        `complete -c tollama -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`,
    ),
    ...commands.map(
      (inner) => `complete -c tollama -n '__fish_seen_subcommand_from ${name}' -a ${inner}`,
    ),
    ...(TAKES_MODEL.has(name)
      ? [`complete -c tollama -n '__fish_seen_subcommand_from ${name}' -a "(${MODELS})"`]
      : []),
  ]);
  return `${lines.join('\n')}\n`;
};

/** zsh runs bash's function. */
const zsh = (words: readonly CommandWords[]): string =>
  `#compdef tollama\nautoload -U +X bashcompinit && bashcompinit\n${bash(words)}`;

const print = (shell: string, program: Command): void => {
  const words = wordsOf(program);
  switch (shell) {
    case 'bash':
      process.stdout.write(bash(words));
      break;
    case 'zsh':
      process.stdout.write(zsh(words));
      break;
    case 'fish':
      process.stdout.write(fish(words));
      break;
    default:
      throw new TollamaError('INVALID_REQUEST', `no completions for '${shell}'`, {
        hint: `use one of ${SHELLS.join(', ')}`,
      });
  }
};

export const completionCommand = (): Command =>
  withExamples(
    new Command('completion')
      .description('print completions for a shell')
      .argument('<shell>', SHELLS.join(', '))
      .action((shell: string, _options: unknown, command: Command) =>
        print(shell, command.parent!),
      ),
    [
      'source <(tollama completion bash)',
      'tollama completion fish > ~/.config/fish/completions/tollama.fish',
    ],
  );
