#include "engine/conformance/runners.hpp"

namespace picket::conformance {

runners make_runners() {
  runners all;
  all.push_back(make_patterns_runner());
  all.push_back(make_xml_runner());
  return all;
}

} // namespace picket::conformance
