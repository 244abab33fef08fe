# A race: main writes into a constant's graph while a ractor reads the constant. Exactly one of the two
# gets an error, and the graph is whole whoever wins: race.rb ROUNDS [compact|stress]
#
#   compact   the collector moves objects after each batch of rounds
#   stress    the collector runs at every allocation
#
# Main and the ractor go through a thousand constants at once, each in an order of its own; each constant
# is a round. In half of the thousands main begins a little earlier, since a ractor that shares what it reads
# is the faster one where the collector runs all the time. At the end prints how often each side won.

Warning[:experimental] = false

BATCH = 1000
MODULES = Ractor.make_shareable(Array.new(BATCH) { Module.new })

# What a constant is assigned: eight objects.
def graph(number)
  [number, ["left", { key: "value", list: [number, "x"] }], "right" * 10]
end

# One of the writes that change it.
WRITES = [
  ->(graph) { graph << :written },
  ->(graph) { graph[1] << :written },
  ->(graph) { graph[1][0] << "!" },
  ->(graph) { graph[1][1][:written] = 1 },
  ->(graph) { graph[1][1][:key] << "!" },
  ->(graph) { graph[1][1][:list][0] = :written },
  ->(graph) { graph[2].upcase! },
  ->(graph) { graph.instance_variable_set(:@written, 1) },
].freeze

def written(number, write)
  graph(number).tap { |graph| WRITES[write].call(graph) }
end

reader = Ractor.new do
  loop do
    order = Ractor.receive
    break unless order
    read = Array.new(order.size)
    order.each do |number|
      read[number] = MODULES[number].const_get(:X)
    rescue Ractor::IsolationError
      nil
    end
    Ractor.yield(read)
  end
end

rounds, mode = ARGV
batches = rounds.to_i.fdiv(BATCH).ceil
random = Random.new(1)
won = { reads: 0, writes: 0 }
wrong = 0

# What is wrong with one round: the graph that the ractor got, or nil; whether main's write was refused.
def fault(number, write, read, refused)
  value = MODULES[number].const_get(:X)
  return "both succeeded" if read && !refused
  return "neither succeeded" if !read && refused
  return "the reader has something else" if read && !read.equal?(value)
  whole = read ? graph(number) : written(number, write)
  "torn: #{value.inspect}" unless value == whole && value.instance_variables == whole.instance_variables
end

batches.times do
  MODULES.each_with_index do |mod, number|
    mod.send(:remove_const, :X) if mod.const_defined?(:X, false)
    mod.const_set(:X, graph(number))
  end
  writes = Array.new(BATCH) { random.rand(WRITES.size) }
  forward = [*0...BATCH].shuffle(random: random)
  backward = Ractor.make_shareable([*0...BATCH].shuffle(random: random))
  lead = [0, random.rand(BATCH)].sample(random: random)
  GC.stress = mode == "stress"
  refused = Array.new(BATCH)
  forward.each_with_index do |number, index|
    reader.send(backward) if index == lead
    WRITES[writes[number]].call(MODULES[number].const_get(:X))
  rescue FrozenError
    refused[number] = true
  end
  read = reader.take
  GC.stress = false
  BATCH.times do |number|
    fault = fault(number, writes[number], read[number], refused[number])
    won[read[number] ? :reads : :writes] += 1
    next unless fault
    wrong += 1
    puts "constant #{number}, write #{writes[number]}: #{fault}" if wrong < 10
  end
  GC.compact if mode == "compact"
end

puts "#{batches * BATCH} rounds#{" (#{mode})" if mode}: the ractor read first #{won[:reads]}, " \
     "main wrote first #{won[:writes]}; #{wrong} wrong"
exit(wrong.zero? && won.values.none?(&:zero?))
