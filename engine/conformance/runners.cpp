#include "engine/conformance/runner.hpp"

namespace picket::conformance {

runners make_runners() {
  runners all;
  return all;
}

} // namespace picket::conformance
