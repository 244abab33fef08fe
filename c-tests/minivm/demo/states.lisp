; The state of each object, drawn as it changes. A: may still become either. B: main has written it.
; C: shareable. F: frozen by its program. ! or "blocks": what keeps the graph from being shared.

(defconst CONFIG {:name "demo" :limits [10 [20 30]] :log [(freeze "frozen by its program")]})

(say "Assigned, and no other ractor exists yet:")
(draw CONFIG)

(take (ractor nil))
(say "The first ractor was made:")
(draw CONFIG)

(vector-push! (hash-ref CONFIG :log) "a line")
(say "Main wrote to the log:")
(draw CONFIG)

(define verdict (try (take (ractor CONFIG)) (catch (condition) (condition-message condition))))
(say "Another ractor tried to read it: " verdict)
(draw CONFIG)

(defconst CONFIG CONFIG)
(say "Assigned again:")
(draw CONFIG)

(take (ractor (hash-ref CONFIG :name)))
(say "Another ractor read it:")
(draw CONFIG)
