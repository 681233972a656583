/** All kinds of values under one name, for rooms above that read a size or a duration as the configuration does. */

export * from './kinds/kind.ts';
export * from './kinds/plain.ts';
export * from './kinds/measure.ts';
export * from './kinds/collection.ts';
