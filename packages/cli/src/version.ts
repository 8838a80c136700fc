/** The version of this package, and of everything that is released with it. */
export const ingotVersion = '0.1.0';
