/** What the boot server calls itself towards the API: the version of this package, compared with it by a test. */
export const bootServerVersion = 'ingot 0.1.0';
