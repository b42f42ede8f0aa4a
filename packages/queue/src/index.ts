/** Jobs that outlive the process that asked for them: one interface, a journal in a file or a shared engine. */
export {};
