#include <csignal>
#include <cstdlib>
#include <iostream>

#include <unistd.h>

#include "node/picketctl/command_line.hpp"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  // A reader that goes away ends the output; the stream then says so.
  std::signal(SIGPIPE, SIG_IGN);
  picket::ctl::session with{std::cin, std::cout, std::cerr, picket::config::process_environment(),
                            ::isatty(STDIN_FILENO) == 1};
  // NO_COLOR: what people set who want none.
  with.colours = ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
  return static_cast<int>(picket::ctl::run({argv + 1, argv + argc}, with));
}
