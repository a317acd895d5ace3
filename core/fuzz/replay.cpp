// Runs a fuzz target once over each file named, for compilers that have no libFuzzer.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

constexpr unsigned kSeconds = 60;  // for an input; one that loops for ever ends the program by SIGALRM

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::FILE* file = std::fopen(argv[i], "rb");
    if (file == nullptr) {
      std::fprintf(stderr, "cannot read %s\n", argv[i]);
      return 2;
    }
    std::vector<std::uint8_t> bytes;
    std::uint8_t chunk[4096];
    for (std::size_t got; (got = std::fread(chunk, 1, sizeof chunk, file)) != 0;) {
      bytes.insert(bytes.end(), chunk, chunk + got);
    }
    std::fclose(file);
    std::fprintf(stderr, "%s\n", argv[i]);  // the last one printed is the one that failed
    alarm(kSeconds);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::printf("replayed %d\n", argc - 1);
  return 0;
}
