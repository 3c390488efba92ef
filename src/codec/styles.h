/*
 * styles.h
 *	  Settings that must not be the session's.
 */
#ifndef GENSYNTH_STYLES_H
#define GENSYNTH_STYLES_H

extern int	gs_fix_names(void);
extern int	gs_fix_styles(void);
extern int	gs_fix_settings(void);
extern void gs_end_settings(int level);

#endif
