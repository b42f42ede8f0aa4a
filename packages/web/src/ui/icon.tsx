/** The icons: strokes on a grid of 24, drawn for this page; they never stand without words. */
const PATHS = {
  forecast: 'M3 15l4-5 4 3 3-4M14 9l7-4M14 9l7 1M14 9l7 7M3 20h18',
  models: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9',
  training: 'M3 4v16h18M6 8c3 0 3 8 7 8h7',
  batches: 'M4 4h16v4H4zM4 10h16v4H4zM4 16h16v4H4zM8 4v4M12 10v4M16 16v4',
  metrics: 'M4 20V10M10 20V4M16 20v-7M21 20H3',
  system: 'M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01',
  download: 'M12 4v11M7 11l5 5 5-5M4 20h16',
  upload: 'M12 16V5M7 9l5-5 5 5M4 20h16',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  play: 'M7 4.5v15l12-7.5z',
  stop: 'M6 6h12v12H6z',
  close: 'M6 6l12 12M18 6L6 18',
  check: 'M5 13l4 4L19 7',
  warning: 'M12 4L2.5 20h19zM12 10v4M12 17h.01',
  search: 'M11 4a7 7 0 110 14 7 7 0 010-14zM16 16l5 5',
  sun: 'M12 8a4 4 0 110 8 4 4 0 010-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M5 19l1.5-1.5M17.5 6.5L19 5',
  moon: 'M20 14.5A8.5 8.5 0 019.5 4a8.5 8.5 0 1010.5 10.5z',
  auto: 'M12 3a9 9 0 110 18 9 9 0 010-18zM12 3v18M12 7h6M12 12h9M12 17h6',
  key: 'M15 9a5 5 0 11-4.6 3L3 19.5V21h3v-2h2v-2h2l2.5-2.5M16 8h.01',
  pause: 'M8 5v14M16 5v14',
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name, size = 16 }: { name: IconName; size?: number }) => (
  <svg
    aria-hidden="true"
    width={size}
    height={size}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="1.8"
    stroke-linecap="round"
    stroke-linejoin="round"
  >
    <path d={PATHS[name]} />
  </svg>
);
