/* Runs a SavedModel through TensorFlow's C API, as TensorFlow Serving's C++ does, without Python.
 *
 *   saved_model FOLDER INPUT KIND ROWS OUTPUT < values > results
 *
 * INPUT and OUTPUT are names of tensors without ":0". KIND is the size of a row as "8x8x1", for
 * values in float32, or "bytes" for one string, the rest of the input, which is the one row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/tf_tstring.h"

enum { LARGEST = 1 << 26, DIMENSIONS = 8 };

static void check(TF_Status *status) {
  if (TF_GetCode(status) != TF_OK) {
    fprintf(stderr, "%s\n", TF_Message(status));
    exit(1);
  }
}

static TF_Output find(TF_Graph *graph, const char *name) {
  TF_Output found = {TF_GraphOperationByName(graph, name), 0};
  if (found.oper == NULL) {
    fprintf(stderr, "there is no tensor %s\n", name);
    exit(1);
  }
  return found;
}

static TF_Tensor *numbers(const char *kind, int64_t rows, const char *content, size_t size) {
  int64_t dims[DIMENSIONS] = {rows};
  int rank = 1;
  char *rest = NULL;
  for (const char *at = kind; rank < DIMENSIONS; at = rest + 1) {
    dims[rank++] = strtol(at, &rest, 10);
    if (*rest != 'x') break;
  }
  TF_Tensor *tensor = TF_AllocateTensor(TF_FLOAT, dims, rank, size);
  memcpy(TF_TensorData(tensor), content, size);
  return tensor;
}

static TF_Tensor *bytes(const char *content, size_t size) {
  int64_t dims[1] = {1};
  TF_Tensor *tensor = TF_AllocateTensor(TF_STRING, dims, 1, sizeof(TF_TString));
  TF_TString *text = TF_TensorData(tensor);
  TF_StringInit(text);
  TF_StringCopy(text, content, size);
  return tensor;
}

int main(int count, char **arguments) {
  if (count != 6) return 2;
  const char *tags[] = {"serve"};
  TF_Status *status = TF_NewStatus();
  TF_Graph *graph = TF_NewGraph();
  TF_SessionOptions *options = TF_NewSessionOptions();
  TF_Session *session = TF_LoadSessionFromSavedModel(options, NULL, arguments[1], tags, 1, graph,
                                                     NULL, status);
  check(status);
  char *content = malloc(LARGEST);
  size_t size = fread(content, 1, LARGEST, stdin);
  TF_Output input = find(graph, arguments[2]), output = find(graph, arguments[5]);
  TF_Tensor *given = strcmp(arguments[3], "bytes") == 0
                         ? bytes(content, size)
                         : numbers(arguments[3], strtol(arguments[4], NULL, 10), content, size);
  TF_Tensor *result = NULL;
  TF_SessionRun(session, NULL, &input, &given, 1, &output, &result, 1, NULL, 0, NULL, status);
  check(status);
  fwrite(TF_TensorData(result), 1, TF_TensorByteSize(result), stdout);
  fprintf(stderr, "tensorflow %s\n", TF_Version());
  return 0;
}
