#include "engine/conformance/runners.hpp"

namespace picket::conformance {

runners make_runners() {
  runners all;
  all.push_back(make_patterns_runner());
  all.push_back(make_xml_runner());
  all.push_back(make_predecode_runner());
  all.push_back(make_lists_runner());
  all.push_back(make_decoders_runner());
  return all;
}

} // namespace picket::conformance
