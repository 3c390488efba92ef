/*
 * into.h
 *	  synth_into: what it needs once a session.
 */
#ifndef GENSYNTH_INTO_H
#define GENSYNTH_INTO_H

extern void gs_into_init(void);

#endif
