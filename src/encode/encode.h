/*
 * encode.h
 *	  From columns to features: real values as a family sees them.
 *
 * The reverse of decode.h.  A value becomes a code in each category feature of
 * its column, and a normal score in each number feature; nothing of the fit's
 * own state is needed.  A value that the model cannot make is encoded as what
 * is nearest: "other", or the nearest segment; or as missing, where that would
 * say something about the row that is not so.
 */
#ifndef GENSYNTH_ENCODE_H
#define GENSYNTH_ENCODE_H

#include "encode/decode.h"

typedef struct GsEncoder GsEncoder;

extern GsEncoder *gs_encoder_create(const GsSchema *schema,
									const bool *known);
extern void gs_encoder_fills(const GsEncoder *encoder, bool *filled);
extern void gs_encode(GsEncoder *encoder, const GsRows *columns, int n,
					  float *const *position, GsBatch *batch);
extern bool gs_encode_number(const GsSchema *schema, int c, Datum value,
							 int64 *number);
extern int	gs_encode_level(GsEncoder *encoder, Datum value);
extern void gs_part_scalars(const GsFeature *feature, const GsPart *part,
							GsScalar *below, GsScalar *above);

/*
 * What a fit, which still has its lanes, shares with an encoder: the level of
 * a scalar.
 */
typedef struct GsLevels
{
	const GsFeature *feature;
	const GsScalar *key;		/* [nlevels] of a text its hash */
	char	  **text;			/* [nlevels] of an encoder's texts: what to
								 * compare them by */
	int			n;
	int		   *order;			/* [n] levels that are values, by key */
} GsLevels;

extern GsLevels *gs_levels_create(const GsFeature *feature,
								  const GsCodec *codec);
extern void gs_levels_free(GsLevels *levels);
extern int	gs_levels_find(const GsLevels *levels, GsScalar key);

#endif
