; What a child writes is checked as if its parent wrote it.
(defconst UNTOUCHED [1 [2]])
(defconst MODIFIED [1 [2]])
(defconst SHARED [1 [2]])
(take (ractor SHARED))
(assert-equal '(A A C) (map state (list UNTOUCHED MODIFIED SHARED)))
(define child
  (spawn-child
    '(begin
       (assert-equal 2 (vector-ref (vector-ref (remote 'UNTOUCHED) 1) 0))
       (assert-equal [1 [2]] (copy (remote 'UNTOUCHED)))
       (vector-set! (remote 'MODIFIED) 0 'changed)
       (define caught (try (vector-set! (remote 'SHARED) 0 'changed) (catch (e) e)))
       (assert-equal 'frozen-error (condition-kind caught))
       (assert-error 'frozen-error (vector-set! (vector-ref (remote 'SHARED) 1) 0 'changed)))))
(for-each export-variable '(UNTOUCHED MODIFIED SHARED))
(assert-equal 0 (wait-child child))
(assert-equal '(A B C) (map state (list UNTOUCHED MODIFIED SHARED)))
(take (ractor UNTOUCHED))
(assert-error 'isolation-error (take (ractor MODIFIED)))

; A remote object is nobody's but main's.
(defconst HOLDER [nil])
(define (keep object) (vector-set! HOLDER 0 object) nil)
(define holding (spawn-child '(parent-call 'keep (list 1)) :no-evacuation))
(export-variable 'keep)
(assert-equal 0 (wait-child holding))
(assert-error 'isolation-error (take (ractor HOLDER)))
