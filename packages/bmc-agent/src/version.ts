/** What the worker calls itself towards the API: the version of this package, compared with it by a test. */
export const bmcAgentVersion = 'ingot 0.1.0';
