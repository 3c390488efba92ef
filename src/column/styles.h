/*
 * styles.h
 *	  Output functions that do not follow the session's settings.
 */
#ifndef GENSYNTH_STYLES_H
#define GENSYNTH_STYLES_H

extern int gs_fix_settings(void);
extern void gs_with_fixed_styles(void (*work) (void *arg), void *arg);

#endif
