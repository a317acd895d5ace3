/* Encodes the lines of standard input with each model file named; a C program that uses pumice.h alone.
 *
 * Prints, for every model, its status, then for every line the ids, their spans and the bits of its vectors of
 * all four types. tests/test_c_interface.py compares them with Python's and runs it under sanitizers on damaged files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pumice.h"

enum { MAX_LINE = 1 << 16, MAX_IDS = 64, SPAN_ROOM = 8 << 20 };

static void* aligned(size_t size) {
  return aligned_alloc(PUMICE_ALIGNMENT, (size + PUMICE_ALIGNMENT - 1) / PUMICE_ALIGNMENT * PUMICE_ALIGNMENT);
}

static void* read_file(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  /* Exactly the file's size, so that a sanitizer sees a read past its end. */
  void* bytes = NULL;
  if (posix_memalign(&bytes, PUMICE_ALIGNMENT, *size ? *size : 1) != 0) return NULL;
  const int whole = fread(bytes, 1, *size, file) == *size;
  fclose(file);
  return whole ? bytes : NULL;
}

static void encode_line(pumice_worker* worker, uint32_t dim, const char* line, size_t size) {
  uint32_t ids[MAX_IDS];
  size_t count = 0;
  pumice_status status = pumice_tokenize(worker, line, size, ids, MAX_IDS, &count);
  printf("%d ids", status);
  for (size_t i = 0; status == PUMICE_OK && i < count && i < MAX_IDS; ++i) printf(" %u", ids[i]);
  printf("\n");
  pumice_token tokens[MAX_IDS];
  status = pumice_token_spans(worker, line, size, tokens, MAX_IDS, &count);
  printf("%d spans", status);
  for (size_t i = 0; status == PUMICE_OK && i < count && i < MAX_IDS; ++i) {
    printf(" %u:%zu-%zu", tokens[i].id, tokens[i].begin, tokens[i].end);
  }
  printf("\n");
  for (pumice_vector_type type = PUMICE_VECTOR_F32; type <= PUMICE_VECTOR_BINARY; ++type) {
    const size_t width = pumice_vector_size(dim, type);
    unsigned char* vector = malloc(width);
    status = pumice_encode(worker, line, size, dim, type, vector);
    printf("%d ", status);
    for (size_t i = 0; status == PUMICE_OK && i < width; ++i) printf("%02x", vector[i]);
    printf("\n");
    free(vector);
  }
}

static void use_model(const char* path, const char* text, size_t text_size) {
  size_t size = 0;
  void* file = read_file(path, &size);
  if (file == NULL) {
    printf("cannot read %s\n", path);
    return;
  }
  void* memory = aligned(pumice_model_size());
  const pumice_model* model = NULL;
  const pumice_status status = pumice_open(file, size, memory, pumice_model_size(), &model);
  printf("model %d %s\n", status, pumice_status_message(status));
  if (status == PUMICE_OK) {
    pumice_worker* worker = NULL;
    const size_t scratch_size = pumice_worker_size(model) + SPAN_ROOM;
    void* scratch = aligned(scratch_size);
    if (pumice_worker_init(model, scratch, scratch_size, &worker) == PUMICE_OK) {
      const char* line = text;
      while (line < text + text_size) {
        const char* end = memchr(line, '\n', (size_t)(text + text_size - line));
        if (end == NULL) end = text + text_size;
        encode_line(worker, pumice_describe(model).dimensions, line, (size_t)(end - line));
        line = end + 1;
      }
    }
    free(scratch);
  }
  free(memory);
  free(file);
}

int main(int argc, char** argv) {
  static char text[MAX_LINE];
  const size_t size = fread(text, 1, sizeof text, stdin);
  for (int i = 1; i < argc; ++i) use_model(argv[i], text, size);
  return 0;
}
