/*
 * tensor.h
 *	  Named tensors: what a model is made of at rest.
 */
#ifndef GENSYNTH_TENSOR_H
#define GENSYNTH_TENSOR_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "compat.h"

#define GS_TENSOR_DIMS	2
#define GS_SHA256_BYTES	32

typedef enum GsTensorType
{
	GS_F4,
	GS_F8,
	GS_I4,
	GS_I8,
	GS_U1
} GsTensorType;

typedef struct GsTensor
{
	char	   *name;
	GsTensorType type;
	int			ndims;
	int32		dims[GS_TENSOR_DIMS];
	void	   *data;			/* row-major, aligned */
} GsTensor;

extern void gs_tensor_add(List **tensors, const char *name, GsTensorType type,
						  int ndims, int64 rows, int64 columns,
						  const void *data);
extern const GsTensor *gs_tensor_find(const List *tensors, const char *name);
extern const GsTensor *gs_tensor_get(const List *tensors, const char *name,
									 GsTensorType type, int ndims);
extern const void *gs_tensor_data(const List *tensors, const char *name,
								  GsTensorType type, int64 rows);
extern const char *gs_tensor_type_name(GsTensorType type);
extern bytea *gs_tensor_pack(const GsTensor *tensor);
extern GsTensor *gs_tensor_unpack(const char *name, const char *type,
								  int ndims, const int32 *dims,
								  const bytea *packed);
extern void gs_sha256(const void *data, Size bytes, uint8 *out);
GS_NORETURN extern void gs_corrupted(const char *detail,...)
			pg_attribute_printf(1, 2);

#endif
