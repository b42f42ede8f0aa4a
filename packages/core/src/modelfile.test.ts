import { expect, test } from 'vitest';
import { parseModelfile, requestDefaults } from './modelfile.ts';

test('all instructions, in any case, with comments and quotes', () => {
  const text = `# sales
from chronos-bolt-small
PARAMETER horizon 24
PARAMETER quantiles [0.1, 0.5, 0.9]
PARAMETER precision int8
ADAPTER ./adapters/sales
LICENSE """
Apache-2.0
for everybody
"""
DESCRIPTION "weekly sales"
TEMPLATE {{ .Prompt }}
`;
  expect(parseModelfile(text)).toEqual({
    from: 'chronos-bolt-small',
    adapter: './adapters/sales',
    parameters: { horizon: 24, quantiles: [0.1, 0.5, 0.9], precision: 'int8' },
    license: 'Apache-2.0\nfor everybody',
    description: 'weekly sales',
    ignored: ['TEMPLATE'],
  });
});

test.each([
  ['PARAMETER horizon 3', 'Modelfile line 1: there is no FROM'],
  ['FROM a\nFROM b', 'Modelfile line 2: a second FROM'],
  ['FROM a\nBANANA 1', "Modelfile line 2: unknown instruction 'BANANA'"],
  ['FROM a\nPARAMETER horizon', "Modelfile line 2: PARAMETER 'horizon' has no value"],
  ['FROM a\nLICENSE """x', 'Modelfile line 2: the quotes """ are not closed'],
])('%j is refused with its line', (text, message) => {
  expect(() => parseModelfile(text)).toThrow(message);
});

test('parameters become fields and options of a request', () => {
  expect(requestDefaults({ horizon: 3, num_samples: 20, precision: 'int8' })).toEqual({
    horizon: 3,
    options: { num_samples: 20, precision: 'int8' },
  });
});
