; Each state that a program can see: what it answers, and what takes it to the next.
(take (ractor nil))

; Ordinary: written and frozen at will, not shareable.
(let ((ordinary [1]))
  (assert-equal 'B (state ordinary))
  (assert (not (frozen? ordinary)))
  (assert (not (shareable? ordinary)))
  (vector-push! ordinary 2))

; Frozen by its program: not known to be shareable.
(let ((frozen (freeze [1])))
  (assert-equal 'frozen (state frozen))
  (assert (frozen? frozen))
  (assert (not (shareable? frozen)))
  (assert-equal 'frozen-by-program
                (condition-cause (assert-error 'frozen-error (vector-push! frozen 2)))))

; A: neither frozen nor shareable yet; reading it in main changes nothing.
(defconst A [1 [2]])
(assert-equal 'A (state A))
(assert-equal 'A (state (vector-ref A 1)))
(assert-equal 'A (slot-state 'A))
(assert (not (frozen? A)))
(assert (not (shareable? A)))
(assert-equal 2 (vector-ref (vector-ref A 1) 0))
(assert-equal 'A (state A))
(let ((echo (ractor (receive))))
  (send echo A)
  (let ((copy (take echo)))
    (assert-equal A copy)
    (assert-equal 'B (state copy))))

; A and frozen by its program: may still be shared, must not be written.
(defconst A-FROZEN (freeze [1 [2]]))
(assert-equal 'A (state A-FROZEN))
(assert (frozen? A-FROZEN))
(assert-error 'frozen-error (vector-push! A-FROZEN 3))
(assert-equal 'A (state A-FROZEN))
(assert-equal [1 [2]] (take (ractor A-FROZEN)))
(assert-equal 'C (state A-FROZEN))

; B: written by main, so other ractors can't have it.
(defconst B [1 [2]])
(vector-push! B 3)
(assert-equal 'B (state B))
(assert-equal 'A (state (vector-ref B 1)))
(assert-equal 'B (slot-state 'B))
(assert-equal 'modified (condition-cause (assert-error 'isolation-error (take (ractor B)))))
(vector-push! B 4)

; C: read by another ractor, so nobody may write it; the whole graph at once.
(take (ractor A))
(assert-equal 'C (state A))
(assert-equal 'C (state (vector-ref A 1)))
(assert-equal 'C (slot-state 'A))
(assert (frozen? A))
(assert (shareable? A))
(assert-equal 'shared (condition-cause (assert-error 'frozen-error (vector-push! A 3))))
(assert-error 'frozen-error (vector-push! (vector-ref A 1) 3))
(assert-equal [1 [2]] A)

; Immediates are always shareable.
(assert-equal '(C C C C) (map state (list 1 :key 'symbol nil)))
