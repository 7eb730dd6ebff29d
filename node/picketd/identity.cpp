#include "node/picketd/identity.hpp"

#include <array>

#include <openssl/rand.h>
#include <unistd.h>

#include "protocol/enrollment/keys.hpp"

namespace picket {

std::string host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
  std::string text{name};
  return text.substr(0, text.find('.'));
}

std::string draw_agent_key() {
  std::array<std::byte, protocol::agent_key_random_bytes> random;
  RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), static_cast<int>(random.size()));
  return protocol::make_agent_key(random);
}

} // namespace picket
