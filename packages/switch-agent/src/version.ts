/** What the agent calls itself towards the API: that of this package. */
export const agentVersion = 'ingot 0.1.0';
