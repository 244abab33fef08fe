# The time of Ractor.make_shareable for each object, in nanoseconds, for some shapes, as JSON.

require "json"

class Node
  def initialize(left, right)
    @left = left
    @right = right
  end
end

def arrays(levels) = levels.zero? ? [] : Array.new(10) { arrays(levels - 1) }
def nodes(levels) = levels.zero? ? nil : Node.new(nodes(levels - 1), nodes(levels - 1))
def hashes(levels) = levels.zero? ? {} : (0...10).to_h { |i| [i, hashes(levels - 1)] }

SHAPES = {
  arrays: [1_111_111, -> { arrays(6) }],
  objects: [(2**19) - 1, -> { nodes(19) }],
  hashes: [111_111, -> { hashes(5) }],
  strings: [500_001, -> { Array.new(500_000) { |i| "string #{i}" } }]
}.freeze

def time(graph)
  GC.start
  GC.disable
  begin_at = Process.clock_gettime(Process::CLOCK_MONOTONIC, :float_second)
  Ractor.make_shareable(graph)
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :float_second) - begin_at
ensure
  GC.enable
end

puts JSON.generate(SHAPES.to_h { |name, (count, make)| [name, Array.new(3) { time(make.call) }.min * 1e9 / count] })
