; minivm --policy=on-assign
; Marked at the assignment; writes don't count before there are ractors, but what they add is not
; marked.
(defconst LIST [1])
(assert-equal 'A (state LIST))
(vector-push! LIST 2)
(defconst TABLE (hash))
(hash-set! TABLE :x [])
(assert-equal 'A (state LIST))
(assert-equal [1 2] (take (ractor LIST)))
(assert-equal 'not-marked (condition-cause (assert-error 'isolation-error (take (ractor TABLE)))))
